// Bytes through a ring and elements of a slab, beside Swift's array and dictionary.

// MARK: - Ring

private let chunk = [UInt8](0..<48)

/// What a slow peer has not taken; it also keeps the ring's positions from starting anew.
private let waitingChunks = 100

func ring(_ operations: Int) -> UInt64 {
    let pool = BufferPool(maximumIdleBytes: 1 << 20)
    var ring = RingBuffer()
    var sum: UInt64 = 0
    unsafe chunk.withUnsafeBytes { bytes in
        for index in 0..<waitingChunks + operations {
            ring.reserve(bytes.count, from: pool)
            unsafe ring.append(bytes)
            guard index >= waitingChunks else { continue }
            sum &+= unsafe UInt64(ring.parts.0[0]) &+ UInt64(ring.count)
            ring.consume(bytes.count)
        }
    }
    ring.release(to: pool)
    return sum
}

func ringNaively(_ operations: Int) -> UInt64 {
    var bytes: [UInt8] = []
    var sum: UInt64 = 0
    for index in 0..<waitingChunks + operations {
        bytes.append(contentsOf: chunk)
        guard index >= waitingChunks else { continue }
        sum &+= UInt64(bytes[0]) &+ UInt64(bytes.count)
        bytes.removeFirst(chunk.count)
    }
    return sum
}

// MARK: - Slab

private let elements = 10_000

func slabLookup(_ operations: Int) -> UInt64 {
    let slab = Slab<UInt64>()
    let keys = (0..<elements).map { slab.insert(UInt64($0)) }
    var sum: UInt64 = 0
    for index in 0..<operations { sum &+= slab[keys[index % elements]] ?? 0 }
    return sum
}

func slabLookupNaively(_ operations: Int) -> UInt64 {
    var table: [UInt64: UInt64] = [:]
    for key in 0..<UInt64(elements) { table[key] = key }
    var sum: UInt64 = 0
    for index in 0..<operations { sum &+= table[UInt64(index % elements)] ?? 0 }
    return sum
}

func slabReuse(_ operations: Int) -> UInt64 {
    let slab = Slab<UInt64>()
    var keys = (0..<elements).map { slab.insert(UInt64($0)) }
    var sum: UInt64 = 0
    for index in 0..<operations {
        let place = index % elements
        sum &+= slab.remove(keys[place]) ?? 0
        keys[place] = slab.insert(UInt64(index))
    }
    return sum
}

/// Keys are not used again, so that a stale one finds nothing.
func slabReuseNaively(_ operations: Int) -> UInt64 {
    var table: [UInt64: UInt64] = [:]
    for key in 0..<UInt64(elements) { table[key] = key }
    var sum: UInt64 = 0
    for index in 0..<UInt64(operations) {
        sum &+= table.removeValue(forKey: index) ?? 0
        table[index + UInt64(elements)] = index
    }
    return sum
}
