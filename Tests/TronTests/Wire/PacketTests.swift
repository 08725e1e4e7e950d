// Packets: their layout on the wire, the borrowed one's copies, and text.
import Testing

@testable import Tron

@Suite struct PacketTests {
    @Test func `the packet of the protocol's text has the bytes that were captured`() {
        let packet = OwnedPacket(category: 1, data: Array("ping".utf8))
        #expect(
            packet.wireBytes == [
                0xff, 0xff, 0xff, 0xff, 0x01, 0, 0, 0, 4, 0x70, 0x69, 0x6e, 0x67, 0x0d, 0x0a,
            ])
    }

    @Test func `what is written already is told from what differs anywhere`() {
        #expect(PacketFormat.headerLength + PacketFormat.trailerLength == PacketFormat.overhead)
        let packet = OwnedPacket(sequence: -2, category: 3, data: [7, 8, 9])
        let wireBytes = packet.wireBytes
        func isWritten(_ bytes: [UInt8], head: UInt64, dataLength: Int) -> Bool {
            bytes.withUnsafeBytes {
                PacketFormat.isWritten(head: head, dataLength: dataLength, at: $0.baseAddress!)
            }
        }
        #expect(isWritten(wireBytes, head: packet.head, dataLength: 3))
        #expect(!isWritten(wireBytes, head: packet.head ^ 1, dataLength: 3))
        #expect(!isWritten(wireBytes, head: packet.head, dataLength: 2))
        // The trailer is where a shorter packet's would be, or is none.
        let shorter = Array(wireBytes[..<11]) + [0x0d, 0x0a, 0, 0]
        #expect(!isWritten(shorter, head: packet.head, dataLength: 2))
        for place in 12..<14 {
            var damaged = wireBytes
            damaged[place] ^= 1
            #expect(!isWritten(damaged, head: packet.head, dataLength: 3))
        }
    }

    @Test func `random packets come back as they went`() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let source = RandomBytes(using: &generator)
        for _ in 0..<max(100, RandomRun.operations / 100) {
            let packet = OwnedPacket(
                head: generator.next() >> 24, data: source.slice(using: &generator))
            let wireBytes = packet.wireBytes
            let decoded = DecodedStream(wireBytes, chunks: [])
            guard decoded == DecodedStream(packets: [packet]),
                wireBytes.count == packet.data.count + PacketFormat.overhead
            else {
                Issue.record("TRON_SEED=\(RandomRun.seed), \(packet.data.count) bytes")
                return
            }
        }
    }

    @Test(arguments: [Int32.min, -1, 0, 1, 0x0d0a_0d0a, .max], [UInt8.min, 0x0a, 0x0d, .max])
    func `a borrowed packet has its fields, and its copy the same`(
        sequence: Int32, category: UInt8
    ) {
        let owned = OwnedPacket(sequence: sequence, category: category, data: [0, 0x0d, 0x0a, 255])
        let packet = Packet(head: owned.head, data: owned.data.span.bytes)
        #expect(packet.sequence == sequence && packet.category == category)
        #expect(packet.data.byteCount == 4)
        #expect(packet.copy() == owned)
    }

    @Test func `a packet without data is whole`() {
        let owned = OwnedPacket(sequence: 5, category: 6, data: [])
        #expect(owned.wireBytes == [0, 0, 0, 5, 6, 0, 0, 0, 0, 0x0d, 0x0a])
        let packet = Packet(head: owned.head, data: owned.data.span.bytes)
        #expect(packet.copy() == owned && packet.text == "" && owned.text == "")
    }

    @Test func `text is UTF-8, and what is not appears as replacement characters`() {
        for (bytes, text) in [
            (Array("grüße 🦀".utf8), "grüße 🦀"), ([0x61, 0xff, 0x62], "a\u{fffd}b"),
        ] {
            let packet = Packet(head: 0, data: bytes.span.bytes)
            #expect(packet.text == text)
            #expect(OwnedPacket(category: 0, data: bytes).text == text)
        }
    }

    @Test func `a header is written as the whole packet's beginning`() {
        let packet = OwnedPacket(sequence: -2, category: 200, data: [1, 2, 3])
        var header = [UInt8](repeating: 0, count: PacketFormat.headerLength)
        header.withUnsafeMutableBytes {
            PacketFormat.writeHeader(
                head: packet.head, dataLength: 3, to: $0.baseAddress!)
        }
        #expect(header == Array(packet.wireBytes.prefix(PacketFormat.headerLength)))
    }

    @Test func `a fault says in words what was wrong`() {
        let words: [(ProtocolFault, String)] = [
            (.dataTooLong(announced: 7), "7 bytes of data announced, more than allowed"),
            (.badTrailer(0x0A0D), "trailer 0xa0d in place of CR LF"),
            (.truncatedPacket(bytes: 3), "the stream ended after 3 bytes of a packet"),
            (.tooManyUnconsumedBytes(9), "9 bytes left unconsumed"),
            (.consumedTooMuch(consumed: 5, of: 4), "5 of 4 bytes consumed"),
            (.frameTooLong(maximum: 8), "a frame of more than 8 bytes"),
            (.malformedFrame(code: -2), "a malformed frame (-2)"),
            (.framingMadeNoProgress(bytes: 6), "the framing made no progress with 6 bytes"),
        ]
        for (fault, text) in words { #expect(fault.description == text) }
    }
}
