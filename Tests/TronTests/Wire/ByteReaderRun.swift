// Random reads of a `ByteReader`, beside an array and a position in it.
@testable import Tron

/// Reads an array to its end, over and over, beside a position in it.
struct ByteReaderRun {
    private var generator: SeededGenerator
    private let source: RandomBytes
    private(set) var problem: String?
    private(set) var reads = 0
    private(set) var failures = 0

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        source = RandomBytes(using: &generator)
    }

    /// Of few different bytes, so that delimiters are found.
    mutating func perform() {
        var bytes = [UInt8](source.slice(limit: 100, using: &generator))
        if Bool.random(using: &generator) { bytes = bytes.map { $0 & 3 } }
        var reader = ByteReader(bytes)
        var position = 0
        for _ in 0..<20 {
            let left = Array(bytes[position...])
            let moved = read(&reader, left)
            reads += 1
            if moved == nil { failures += 1 }
            position += moved ?? 0
            let agrees =
                reader.position == position && reader.remainingCount == bytes.count - position
                && reader.isAtEnd == (position == bytes.count)
                && reader.remaining.copy() == Array(bytes[position...])
                && reader.peekByte() == bytes[position...].first
            if !agrees && problem == nil { problem = "another position than \(position)" }
        }
    }

    /// How far the model moves; nil when it cannot read.
    private mutating func read(_ reader: inout ByteReader, _ left: [UInt8]) -> Int? {
        let count = Int.random(in: -1...12, using: &generator)
        let isThere = 0...left.count ~= count
        switch Int.random(in: 0..<7, using: &generator) {
        case 0:
            let piece = try? reader.readBytes(count).copy()
            expect(piece == (isThere ? Array(left[..<max(0, count)]) : nil), "readBytes")
            return isThere ? count : nil
        case 1:
            let hasSkipped: Void? = try? reader.skip(count)
            expect((hasSkipped != nil) == isThere, "skip")
            return isThere ? count : nil
        case 2: return readInteger(&reader, left, UInt8.self)
        case 3: return readInteger(&reader, left, Int32.self)
        case 4:
            let byte = UInt8.random(in: 0...3, using: &generator)
            let index = left.firstIndex(of: byte)
            let piece = reader.readBytes(upTo: byte)?.copy()
            expect(piece == index.map { Array(left[..<$0]) }, "up to \(byte)")
            return index.map { $0 + 1 }
        case 5:
            let count = Int.random(in: 0...3, using: &generator)
            let delimiter = (0..<count).map { _ in UInt8.random(in: 0...3, using: &generator) }
            let index = (0...left.count).first { left[$0...].starts(with: delimiter) }
            let piece = reader.readBytes(upTo: delimiter)?.copy()
            expect(piece == index.map { Array(left[..<$0]) }, "up to \(delimiter)")
            return index.map { $0 + count }
        default:
            let text = isThere ? String(validating: left[..<max(0, count)], as: UTF8.self) : nil
            expect((try? reader.readText(count)) == text, "readText")
            return text.map { _ in count }
        }
    }

    private mutating func readInteger<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ reader: inout ByteReader, _ left: [UInt8], _ type: Integer.Type
    ) -> Int? {
        let width = Integer.bitWidth / 8
        let order: ByteOrder = Bool.random(using: &generator) ? .bigEndian : .littleEndian
        let value = try? reader.readInteger(as: type, order)
        guard left.count >= width else {
            expect(value == nil, "readInteger")
            return nil
        }
        let digits = order == .bigEndian ? Array(left[..<width]) : left[..<width].reversed()
        let expected = digits.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        expect(value == Integer(truncatingIfNeeded: expected), "readInteger")
        return width
    }

    private mutating func expect(_ isSo: Bool, _ what: String) {
        if !isSo && problem == nil { problem = what }
    }
}
