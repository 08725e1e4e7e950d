// The README's servers that read bytes, of prices and of lines, whatever they are sent.
import Glibc
import Testing

@testable import Tron

@Suite struct ReadmeBytesTests {
    static func serveLines(_ reactor: Reactor, on other: String) throws {
        // snippet: lines
        try reactor.listen(on: other) { session in
            session.onFrames(of: .lines()) { session, line in
                session.send(bytesCapacity: line.content.byteCount + 16) { output in
                    output.write("you said ")
                    output.write(line.content)
                    output.write("\n")
                }
            }
        }
        // end
    }

    static func servePrices(_ session: Session) {
        // snippet: bytes
        session.onPacket { session, packet in
            var input = ByteReader(packet.data)
            do throws(ByteReaderError) {
                let price = try input.readInteger(as: UInt32.self)
                let name = try input.readText(input.readInteger(as: UInt8.self))
                session.reply(to: packet, capacity: name.utf8.count + 20) { output in
                    output.write(name)
                    output.write(" costs ")
                    output.writeDecimal(price)
                }
            } catch {
                session.close()
            }
        }
        // end
    }

    @Test func `the server of prices reads integers and text and writes them`() throws {
        let bench = try Bench { session, _ in Self.servePrices(session) }
        let peer = try bench.connect()
        peer.send(
            OwnedPacket(category: 1, data: [0, 0, 1, 2, 3] + Array("tea".utf8)).wireBytes)
        try bench.reactor.turn(until: { peer.drained.texts == ["tea costs 258"] })
        peer.send(OwnedPacket(category: 1, data: [0, 0, 1, 2, 3] + Array("te".utf8)).wireBytes)
        try bench.reactor.turn(until: { !bench.sessions[0].isOpen })
    }

    @Test func `the server of prices survives random bytes`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let bench = try Bench { session, _ in Self.servePrices(session) }
            var random = SplitMix64(seed: 43)
            for _ in 0..<200 {
                let peer = try bench.connect()
                let data = (0..<random.next() % 12).map { _ in
                    UInt8(truncatingIfNeeded: random.next() % 4 == 0 ? random.next() : 0)
                }
                peer.send(OwnedPacket(category: 1, data: data).wireBytes)
                let session = try #require(bench.sessions.last)
                try bench.reactor.turn(until: { !session.isOpen || !peer.drained.texts.isEmpty })
            }
            exit(7)
        }
    }

    @Test func `the server of lines answers each line`() throws {
        let other = "unix:@tron-readme-\(UInt64.random(in: 0 ... .max))"
        let reactor = try Reactor()
        var received: [UInt8] = []
        try Self.serveLines(reactor, on: other)
        reactor.connectOnce(to: try SocketAddress(other)) { result in
            guard let session = try? result.get() else { return reactor.stop() }
            session.onBytes { _, bytes in
                received += bytes.copy()
                if received.count == 26 { reactor.stop() }
                return bytes.byteCount
            }
            session.send(bytes: "one\ntwo\nthr")
        }
        reactor.schedule(after: .seconds(10)) { reactor.stop() }
        try reactor.run()
        #expect(String(decoding: received, as: UTF8.self) == "you said one\nyou said two\n")
    }
}

extension ReadmeBytesTests {
    /// In a process of its own, which a trap would end. Says whether the server goes on and has
    /// answered as many lines as came.
    private static func survives(_ bytes: [UInt8]) throws -> Bool {
        let kernel = FaultyKernel()
        kernel.isFrozen = true
        let reactor = try Reactor(kernel: kernel)
        let address = Bench.unixName()
        try serveLines(reactor, on: address)
        let peer = try Peer(to: SocketAddress(address))
        let stream = bytes + Array("\nlast\n".utf8)
        for piece in [stream.prefix(bytes.count), stream.dropFirst(bytes.count)] {
            peer.send(piece)
            try reactor.turn(times: 3)
        }
        peer.drain()
        let answer = Array("you said last\n".utf8)
        let lines = (peer.received.count { $0 == 10 }, stream.count { $0 == 10 })
        return peer.received.suffix(answer.count).elementsEqual(answer) && lines.0 == lines.1
            && !peer.isAtEnd && peer.error == 0
    }

    @Test func `the server of lines survives what is no text`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let lines: [[UInt8]] = [
                [0xff, 10], [10], [0xff], [0xc3, 10, 0xa4], [0xf0, 0x9f, 10], [0x80, 0x80, 10],
                [13, 10], [0, 10], [0xe2, 0x80, 0xa8, 10],
            ]
            exit(try lines.allSatisfy { try ReadmeBytesTests.survives($0) } ? 7 : 1)
        }
    }

    @Test func `the server of lines survives random bytes`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            var random = SplitMix64(seed: 41)
            let texts = (0..<200).map { _ in
                (0..<random.next() % 300).map { _ in
                    random.next() % 8 == 0 ? 10 : UInt8(truncatingIfNeeded: random.next())
                }
            }
            exit(try texts.allSatisfy { try ReadmeBytesTests.survives($0) } ? 7 : 1)
        }
    }
}
