// Takes output in the place of peers that read at once.

@testable import Tron

/// What a kernel's descriptors send and no peer has to read: taken at once, as by a peer that
/// always reads.
final class Sink {
    /// Whether it takes what a descriptor sends, which is so many bytes.
    var takes: (Int32, Int) -> Bool = { _, _ in true }
    /// Whether it keeps what it takes. Its bytes are counted all the same.
    var keepsBytes = true
    /// Called with how many bytes were taken.
    var onTake: (Int) -> Void = { _ in }
    /// What was taken, by descriptor.
    private(set) var taken: [Int32: [UInt8]] = [:]
    private(set) var takenCount: [Int32: Int] = [:]
    /// How often something was sent to it, by descriptor.
    private(set) var sends: [Int32: Int] = [:]

    var total: Int { takenCount.values.reduce(0, +) }

    /// The descriptor sends something, of which the sink may be given a part, or nothing.
    func noteSend(_ number: Int32) { sends[number, default: 0] += 1 }

    func take(_ number: Int32, _ pieces: [UnsafeRawBufferPointer], _ most: Int) -> Int {
        var left = most
        for piece in pieces {
            if keepsBytes { taken[number, default: []] += piece.prefix(left) }
            left -= min(left, piece.count)
        }
        takenCount[number, default: 0] += most
        onTake(most)
        return most
    }

    /// The whole packets that it took.
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
