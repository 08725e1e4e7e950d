// The protocol's test vectors: each stream whole, byte by byte, and cut at every pair of places.
import Foundation
import Testing

@testable import Tron

@Suite struct PacketVectorTests {
    private let vectors: [Vector]

    init() throws {
        let file = try #require(Bundle.module.url(forResource: "vectors", withExtension: "json"))
        vectors = try JSONDecoder().decode(VectorFile.self, from: Data(contentsOf: file)).vectors
        try #require(vectors.count == 43)
    }

    @Test(arguments: ReceiveWay.allCases)
    func `every stream comes out right whole and byte by byte`(way: ReceiveWay) {
        for vector in vectors {
            for chunks in [[], Array(repeating: 1, count: vector.bytes.count)] {
                let decoded = vector.decode(chunks: chunks, way: way)
                #expect(vector.problem(in: decoded) == nil, "\(vector.name)")
            }
        }
    }

    @Test func `a naive reader of the protocol's text agrees with the vectors`() {
        for vector in vectors {
            let decoded = DecodedStream(
                readNaively: vector.bytes, maximumDataLength: vector.maxDataLength)
            #expect(vector.problem(in: decoded) == nil, "\(vector.name)")
        }
    }

    @Test func `nothing of a packet with a fault is kept when its header arrives at once`() {
        for vector in vectors where vector.error == "dataTooLong" {
            let pool = BufferPool(maximumIdleBytes: 1 << 20)
            _ = vector.decode(chunks: [], way: .fresh, pool: pool)
            #expect(pool.idleBytes == 0, "\(vector.name)")
        }
    }

    /// A decoder that has delivered whole packets is as new, so a long stream is cut in windows
    /// of two packets, and as a whole at random.
    @Test func `every stream comes out right when it is cut at any two places`() {
        for vector in vectors {
            for window in vector.windows(of: 2) {
                if let problem = CutRun(window, vector.maxDataLength).firstProblem() {
                    Issue.record("\(vector.name): \(problem)")
                    return
                }
            }
        }
    }
}

private struct VectorFile: Decodable {
    var vectors: [Vector]
}

private struct Vector: Decodable {
    struct Packet: Decodable {
        var sequence: Int32
        var category: UInt8
        var data: String
    }

    var name: String
    var maxDataLength: Int
    var stream: String
    var packets: [Packet]
    var error: String?
    var errorFrameOffset: Int?
    var unconsumed: Int?

    var bytes: [UInt8] { Self.bytes(ofHexadecimal: stream) }

    var ownedPackets: [OwnedPacket] {
        packets.map {
            OwnedPacket(
                sequence: $0.sequence, category: $0.category,
                data: Self.bytes(ofHexadecimal: $0.data))
        }
    }

    private static func bytes(ofHexadecimal text: String) -> [UInt8] {
        let digits = text.utf8.map { UInt8(Character(Unicode.Scalar($0)).hexDigitValue!) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    func decode(
        chunks: [Int], way: ReceiveWay, pool: BufferPool = BufferPool(maximumIdleBytes: 1 << 20)
    ) -> DecodedStream {
        DecodedStream(
            bytes, maximumDataLength: maxDataLength, chunks: chunks, way: way, pool: pool)
    }

    /// How the decoded stream differs from what the vector says; nil when it does not.
    func problem(in decoded: DecodedStream) -> String? {
        if decoded.packets != ownedPackets { return "other packets" }
        let name =
            switch decoded.fault {
            case nil: String?.none
            case .dataTooLong: "dataTooLong"
            case .badTrailer: "badTrailer"
            default: "another fault"
            }
        if name != error { return "fault \(name ?? "none")" }
        if let errorFrameOffset, decoded.wireLength != errorFrameOffset { return "fault misplaced" }
        return decoded.unconsumed == unconsumed ?? 0 ? nil : "\(decoded.unconsumed) unconsumed"
    }

    /// A short stream whole; a long one in pieces of `count` packets, which overlap.
    func windows(of count: Int) -> [[UInt8]] {
        let bytes = bytes
        let lengths = ownedPackets.map { $0.data.count + PacketFormat.overhead }
        let starts = lengths.reduce(into: [0]) { $0.append($0.last! + $1) }
        guard bytes.count > 400, lengths.count > count else { return [bytes] }
        return (0...lengths.count - count).map { first in
            let isLast = first + count == lengths.count
            return Array(bytes[starts[first]..<(isLast ? bytes.count : starts[first + count])])
        }
    }
}

/// One stream, cut at every pair of places; compared without arrays, because there are many pairs.
private struct CutRun {
    let stream: [UInt8]
    let maximumDataLength: Int
    let expected: DecodedStream

    init(_ stream: [UInt8], _ maximumDataLength: Int) {
        self.stream = stream
        self.maximumDataLength = maximumDataLength
        expected = DecodedStream(readNaively: stream, maximumDataLength: maximumDataLength)
    }

    /// Every place; of a long stream those near its ends, where header and trailer lie, and some
    /// between, where nothing but data does.
    private var places: [Int] {
        (0...stream.count).filter {
            stream.count <= 400 || $0 < 16 || $0 > stream.count - 16 || $0 % 64 == 0
        }
    }

    func firstProblem() -> String? {
        let pool = BufferPool(maximumIdleBytes: 1 << 20)
        let places = places
        for (index, first) in places.enumerated() {
            for second in places[index...] {
                for way in ReceiveWay.allCases where !isRight(first, second, way, pool) {
                    return "cut at \(first) and \(second), \(way)"
                }
            }
        }
        return nil
    }

    private func isRight(
        _ first: Int, _ second: Int, _ way: ReceiveWay, _ pool: BufferPool
    ) -> Bool {
        var harness = DecoderHarness(maximumDataLength: maximumDataLength, pool: pool)
        defer { harness.end() }
        var delivered = 0
        var isRight = true
        let check = { (head: UInt64, data: UnsafeRawBufferPointer) in
            isRight =
                isRight && delivered < expected.packets.count
                && head == expected.packets[delivered].head
                && data.equals(expected.packets[delivered].data[...])
            delivered += 1
            return isRight
        }
        stream.withUnsafeBytes { stream in
            harness.receive(.init(rebasing: stream[..<first]), by: way, handler: check)
            harness.receive(.init(rebasing: stream[first..<second]), by: way, handler: check)
            harness.receive(.init(rebasing: stream[second...]), by: way, handler: check)
        }
        return isRight && delivered == expected.packets.count && harness.fault == expected.fault
            && (expected.fault != nil || harness.decoder.kept.count == expected.unconsumed)
    }
}
