// Fuzzes the decoder of PROXY headers with many headers a run: each a mutation of the input.

/// An input is a seed of eight bytes and a header. What a run costs libFuzzer is more than what a
/// header does, so that most of the time would go there; and a header is most often one that has
/// gone wrong in a few places, its length and checksum corrected or not.
enum ProxyHeaderMutations {
    static let headersPerRun = 128

    static func run(_ input: UnsafeRawBufferPointer) {
        guard input.count > 8 else { return }
        let seed = input.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let header = Array(input.dropFirst(8))
        _ = run(seed: seed, header)
    }

    /// How many of the mutations are headers.
    static func run(seed: UInt64, _ header: [UInt8]) -> Int {
        var generator = SplitMix64(seed: seed)
        var sound = 0
        for _ in 0..<headersPerRun {
            let stream = mutation(of: header, &generator)
            let step = ProxyHeaderFuzzer.check(stream)
            if case .complete = step { sound += 1 }
            let cuts = (0..<3).map { _ in number(below: stream.count + 1, &generator) }.sorted()
            ProxyHeaderFuzzer.checkCuts(stream, step, at: cuts.filter { $0 < stream.count })
        }
        return sound
    }

    /// What matters in a header: numbers of lines, types of values, lengths.
    private static let telling: [UInt8] = [
        0, 1, 2, 3, 4, 5, 6, 0x0a, 0x0d, 0x11, 0x12, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27,
        0x28, 0x2e, 0x30, 0x31, 0x32, 0x39, 0x3a, 0x41, 0x61, 0x66, 0x7f, 0x80, 0xff,
    ]

    private static func mutation(
        of header: [UInt8], _ generator: inout SplitMix64
    ) -> [UInt8] {
        var stream = header
        for _ in 0..<number(below: 4, &generator) { mutate(&stream, &generator) }
        // What follows the header then, if its length is not set to all there is, is payload.
        let isBinary = stream.first == 0x0d
        return isBinary && number(below: 4, &generator) > 0
            ? ProxyHeaderFuzzer.withLength(stream) : stream
    }

    private static func mutate(_ stream: inout [UInt8], _ generator: inout SplitMix64) {
        let place = number(below: stream.count + 1, &generator)
        switch number(below: 8, &generator) {
        case 0 where place < stream.count: stream[place] = byte(&generator)
        case 1 where place < stream.count:
            stream[place] ^= 1 << UInt8(number(below: 8, &generator))
        case 2 where place < stream.count: stream.remove(at: place)
        case 3: stream.insert(byte(&generator), at: place)
        case 4: stream.removeSubrange(place...)
        case 5:
            let end = min(stream.count, place + number(below: 40, &generator))
            stream.insert(contentsOf: stream[place..<end], at: number(below: place + 1, &generator))
        case 6: stream += value(number(below: 140, &generator), &generator)
        // A checksum to be corrected.
        default: stream += [3, 0, 4, 0, 0, 0, 0]
        }
    }

    /// A value with its type and its length.
    private static func value(_ count: Int, _ generator: inout SplitMix64) -> [UInt8] {
        let type = telling[number(below: telling.count, &generator)]
        return [type, 0, UInt8(count)] + (0..<count).map { _ in byte(&generator) }
    }

    private static func byte(_ generator: inout SplitMix64) -> UInt8 {
        let random = generator.next()
        return random & 1 == 0
            ? telling[Int(random >> 8) % telling.count] : UInt8(truncatingIfNeeded: random >> 8)
    }

    private static func number(below limit: Int, _ generator: inout SplitMix64) -> Int {
        Int(generator.next() >> 33) % limit
    }
}
