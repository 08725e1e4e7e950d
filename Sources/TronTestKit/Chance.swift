// The one source of chance of a run, and the queue of bytes that its sockets are made of.

/// SplitMix64 in a class: everything that happens in a run is drawn from the same one, so that the
/// seed alone says what happens.
package final class Chance {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    package static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }

    /// 0 to `bound` - 1.
    package func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// `lowest` to `highest`, both included.
    package func between(_ lowest: Int, _ highest: Int) -> Int {
        lowest + below(highest - lowest + 1)
    }

    /// True so many times of a thousand.
    package func hits(_ perMille: Int) -> Bool { perMille > 0 && below(1000) < perMille }

    package func pick<Choice>(_ choices: Choice...) -> Choice { choices[below(choices.count)] }

    package func pick<Choice>(from choices: [Choice]) -> Choice? {
        choices.isEmpty ? nil : choices[below(choices.count)]
    }

    /// A time in nanoseconds, small ones as likely as large ones.
    package func time(upToMilliseconds most: Int) -> Int64 {
        let scale = pick(1, 10, 100, 1000)
        return Int64(below(most * 1000 / scale + 1)) * 1000 + Int64(below(1000))
    }

    /// Exchanges elements at random. True when any changed its place.
    package func shuffle<Element>(_ elements: inout [Element]) -> Bool {
        var isChanged = false
        for index in stride(from: elements.count - 1, to: 0, by: -1) {
            let other = below(index + 1)
            if other != index { isChanged = true }
            elements.swapAt(index, other)
        }
        return isChanged
    }
}

/// Bytes that wait, first in, first out.
package struct ByteQueue {
    private var bytes: [UInt8] = []
    private var head = 0

    package init() {}

    package var count: Int { bytes.count - head }

    package var isEmpty: Bool { head == bytes.count }

    package mutating func append(_ more: some Collection<UInt8>) { bytes.append(contentsOf: more) }

    /// The oldest `count` bytes, which leave the queue when `body` returns.
    package mutating func take<Result>(_ count: Int, _ body: (ArraySlice<UInt8>) -> Result)
        -> Result
    {
        let result = body(bytes[head..<(head + count)])
        head += count
        if head == bytes.count { removeAll() }
        return result
    }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        head = 0
    }

    /// What waits, oldest first.
    package var content: ArraySlice<UInt8> { bytes[head...] }
}
