// What is measured: each benchmark does so many operations and returns a sum that depends on them.

struct Benchmark: Sendable {
    let name: String
    let summary: String
    /// How many the table takes.
    let operations: Int
    let run: @Sendable (Int) -> UInt64

    static let all = [
        Benchmark(
            name: "decode", summary: "a packet of 64 bytes of data, 64 of them in one read",
            operations: 1_000_000, run: { decode($0, readLength: 64 * 75) }),
        Benchmark(
            name: "decode-cut", summary: "the same, read 1000 bytes at a time: every 13th is cut",
            operations: 1_000_000, run: { decode($0, readLength: 1000) }),
        Benchmark(
            name: "encode", summary: "a packet of 64 bytes of data into a ring, drained at 64",
            operations: 1_000_000, run: encode),
        Benchmark(
            name: "ring", summary: "48 bytes appended and consumed, across the seam at times",
            operations: 1_000_000, run: ring),
        Benchmark(
            name: "slab-lookup", summary: "an element of 10,000 by its key",
            operations: 1_000_000, run: slabLookup),
        Benchmark(
            name: "slab-reuse", summary: "an element of 10,000 removed and another one inserted",
            operations: 1_000_000, run: slabReuse),
        Benchmark(
            name: "timer-schedule", summary: "a timer within a minute, all of them live",
            operations: 1_000_000, run: scheduleTimers),
        Benchmark(
            name: "timer-expire", summary: "the same, and each expired, millisecond by millisecond",
            operations: 1_000_000, run: expireTimers),
        Benchmark(
            name: "timer-cancel", summary: "timer-schedule, and each cancelled and scheduled again",
            operations: 1_000_000, run: rescheduleTimers),
    ]
}

// MARK: - Wire

private let dataLength = 64

/// 64 packets, over and over.
private func decode(_ packets: Int, readLength: Int) -> UInt64 {
    let pool = BufferPool(maximumIdleBytes: 1 << 20)
    let data = [UInt8](repeating: 7, count: dataLength)
    let packet = OwnedPacket(sequence: 1, category: 2, data: data).wireBytes
    // A read may begin anywhere in the first batch and end in the second.
    let stream = Array(repeating: packet, count: 128).flatMap(\.self)
    let batch = stream.count / 2
    var decoder = PacketDecoder()
    var (delivered, start, sum) = (0, 0, UInt64(0))
    unsafe stream.withUnsafeBytes { stream in
        while delivered < packets {
            var fresh = unsafe UnsafeRawBufferPointer(rebasing: stream[start..<start + readLength])
            start = (start + readLength) % batch
            reading: while true {
                switch unsafe decoder.next(&fresh, maximumDataLength: 1 << 20, pool: pool) {
                case .packet(let head, let data):
                    sum &+= head &+ UInt64(data.count)
                    delivered += 1
                case .needsMore, .fault: break reading
                }
            }
        }
    }
    decoder.release(to: pool)
    return sum
}

private func encode(_ packets: Int) -> UInt64 {
    let pool = BufferPool(maximumIdleBytes: 1 << 20)
    let data = [UInt8](repeating: 7, count: dataLength)
    let length = dataLength + PacketFormat.overhead
    var ring = RingBuffer()
    var sum: UInt64 = 0
    unsafe data.withUnsafeBytes { data in
        for index in 0..<packets {
            ring.reserve(length, from: pool)
            unsafe PacketFormat.write(
                head: UInt64(truncatingIfNeeded: index) &<< 8 | 1, data: data, to: ring.tailAddress)
            ring.commit(length)
            if index % 64 == 63 {
                sum &+= unsafe UInt64(ring.parts.0[3])
                ring.consume(ring.count)
                ring.release(to: pool)
            }
        }
    }
    ring.release(to: pool)
    return sum
}

// MARK: - Storage

private func ring(_ operations: Int) -> UInt64 {
    let pool = BufferPool(maximumIdleBytes: 1 << 20)
    let bytes = [UInt8](repeating: 7, count: 48)
    var ring = RingBuffer()
    var sum: UInt64 = 0
    unsafe bytes.withUnsafeBytes { bytes in
        // What stays in it keeps the positions from starting anew.
        ring.reserve(bytes.count, from: pool)
        unsafe ring.append(bytes)
        for _ in 0..<operations {
            ring.reserve(bytes.count, from: pool)
            unsafe ring.append(bytes)
            sum &+= unsafe UInt64(ring.parts.0.count)
            ring.consume(bytes.count)
        }
    }
    ring.release(to: pool)
    return sum
}

private func slabLookup(_ operations: Int) -> UInt64 {
    let slab = Slab<UInt64>()
    let keys = (0..<10_000).map { slab.insert($0) }
    var sum: UInt64 = 0
    for index in 0..<operations { sum &+= slab[keys[index % keys.count]] ?? 0 }
    return sum
}

private func slabReuse(_ operations: Int) -> UInt64 {
    let slab = Slab<UInt64>()
    var keys = (0..<10_000).map { slab.insert($0) }
    var sum: UInt64 = 0
    for index in 0..<operations {
        let place = index % keys.count
        sum &+= slab.remove(keys[place]) ?? 0
        keys[place] = slab.insert(UInt64(index))
    }
    return sum
}

// MARK: - Timers

/// Milliseconds: the library's own timeouts are a minute. Each factor of 64 is one move more.
private let longestTime: UInt64 = 60_000

private func makeWheel(_ count: Int, then use: (TimerKey) -> Void = { _ in }) -> TimerWheel {
    let wheel = TimerWheel()
    var generator = SplitMix64(seed: 1)
    for owner in 0..<count {
        let tick = 1 + generator.next() % longestTime
        use(wheel.schedule(at: tick, owner: UInt64(owner)))
    }
    return wheel
}

private func scheduleTimers(_ count: Int) -> UInt64 { makeWheel(count).nextExpiry ?? 0 }

private func expireTimers(_ count: Int) -> UInt64 {
    let wheel = makeWheel(count)
    var sum: UInt64 = 0
    for tick in 1...longestTime {
        wheel.advance(to: tick)
        while let timer = wheel.takeDue() { sum &+= timer.owner &* tick }
    }
    return sum
}

private func rescheduleTimers(_ count: Int) -> UInt64 {
    var keys: [TimerKey] = []
    let wheel = makeWheel(count) { keys.append($0) }
    var sum: UInt64 = 0
    for (owner, key) in keys.enumerated() where wheel.cancel(key) {
        let again = wheel.schedule(at: longestTime + UInt64(owner), owner: UInt64(owner))
        sum &+= again.rawValue
    }
    return sum
}
