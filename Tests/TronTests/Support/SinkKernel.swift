// A kernel in which connections may be sinks, which read at once.

@testable import Tron

/// Sinks take whatever is sent to them at once, as a peer does that always reads. All other
/// descriptors are real.
final class SinkKernel: FaultyKernel, @unchecked Sendable {
    /// Whether a descriptor is a sink.
    var isSink: (Int32) -> Bool = { _ in true }
    /// Whether the sinks keep what they take. Their bytes are counted all the same.
    var keepsBytes = true
    /// What the sinks took, by descriptor.
    private(set) var taken: [Int32: [UInt8]] = [:]
    private(set) var takenCount: [Int32: Int] = [:]
    /// How often something was sent to a sink, by descriptor.
    private(set) var sends: [Int32: Int] = [:]

    private func take(_ number: Int32, _ pieces: [UnsafeRawBufferPointer]) -> Int {
        let size = pieces.reduce(0) { $0 + $1.count }
        sends[number, default: 0] += 1
        return transfer(.send, number, size) { most in
            var left = most
            for piece in pieces {
                if keepsBytes { taken[number, default: []] += piece.prefix(left) }
                left -= min(left, piece.count)
            }
            takenCount[number, default: 0] += most
            return most
        }
    }

    override func send(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        guard isSink(number) else { return super.send(number, bytes, count) }
        return take(number, [UnsafeRawBufferPointer(start: bytes, count: count)])
    }

    override func send(
        _ number: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        _ third: UnsafeRawBufferPointer
    ) -> Int {
        guard isSink(number) else { return super.send(number, first, second, third) }
        return take(number, [first, second, third])
    }

    /// The whole packets that a sink took.
    func packets(_ number: Int32) -> [OwnedPacket] { OwnedPacket.all(in: taken[number] ?? []) }
}

extension OwnedPacket {
    /// The whole packets at the front of what arrived.
    static func all(in bytes: [UInt8]) -> [OwnedPacket] {
        var list: [OwnedPacket] = []
        var start = 0
        while start + 9 <= bytes.count {
            let size = bytes[start + 5..<start + 9].reduce(0) { $0 << 8 | Int($1) }
            guard start + size + 11 <= bytes.count else { break }
            let sequence = bytes[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            list.append(
                OwnedPacket(
                    sequence: Int32(bitPattern: sequence), category: bytes[start + 4],
                    data: Array(bytes[start + 9..<start + 9 + size])))
            start += size + 11
        }
        return list
    }
}
