// Raw bytes in place of packets: what is not consumed comes again, within a bound.
import Glibc
import Testing

@testable import Tron

@Suite struct SessionBytesTests {
    /// A bench whose sessions note what they are given and consume what `consume` says.
    private func bench(
        session options: SessionOptions = SessionOptions(),
        consume: @escaping (Session, String) -> Int
    ) throws -> Bench {
        try Bench(session: options) { session, log in
            session.onBytes { session, bytes in
                let text = bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                log.texts.append(text)
                return consume(session, text)
            }
        }
    }

    @Test func `the line server speaks whole lines however they arrive`() throws {
        let kernel = FaultyKernel()
        let reactor = try Reactor(kernel: kernel)
        let lines = try LineServer(on: reactor, address: Bench.unixName())
        let peer = try Peer(to: lines.server.address)
        let talk = "set a one two\r\nget a\nget b\r\nnonsense\nget a\r\nquit\nget a\r\n"
        for byte in talk.utf8 {
            peer.send([byte])
            if byte % 3 == 0 { try reactor.turn(times: 1) }
        }
        try reactor.turn(until: { peer.drained.isAtEnd })
        let answers = String(decoding: peer.received, as: UTF8.self)
        #expect(answers == "ok\r\none two\r\n?\r\nwhat?\r\none two\r\n")
        let other = try Peer(to: lines.server.address)
        other.send("get a\r\n".utf8)
        try reactor.turn(until: { other.drained.received.count == 9 })
    }

    @Test func `what is not consumed comes again with more behind it`() throws {
        let bench = try bench { _, text in text.hasSuffix("!") ? text.utf8.count : 0 }
        let peer = try bench.connect()
        for part in ["ab", "cd", "ef!", "gh"] {
            peer.send(part.utf8)
            let count = bench.texts.count
            try bench.reactor.turn(until: { bench.texts.count > count })
        }
        #expect(bench.texts == ["ab", "abcd", "abcdef!", "gh"])
        #expect(bench.sessions[0].inbound.keptCount == 2)
    }

    @Test func `the handler is called on while it consumes some and some is left`() throws {
        let bench = try bench { _, text in text.count > 2 ? 3 : 0 }
        let peer = try bench.connect()
        peer.send("abcdefgh".utf8)
        try bench.reactor.turn(until: { !bench.texts.isEmpty })
        #expect(bench.texts == ["abcdefgh", "defgh", "gh"])
    }

    @Test func `more unconsumed bytes than allowed end the session`() throws {
        var options = SessionOptions()
        options.limits.maximumDataLength = 1000
        let bench = try bench(session: options) { _, _ in 0 }
        let peer = try bench.connect()
        peer.send(repeatElement(0x61, count: 1000))
        try bench.reactor.turn(until: { bench.texts.count == 1 })
        #expect(bench.sessions[0].isOpen)
        peer.send([0x62])
        try bench.reactor.turn(until: { !bench.sessions[0].isOpen })
        peer.close()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.protocolFault(.tooManyUnconsumedBytes(1001))])
    }

    @Test func `a pause keeps the rest and a resume hands it over`() throws {
        let bench = try bench { session, _ in
            session.pauseReading()
            return 1
        }
        let peer = try bench.connect()
        peer.send("abc".utf8)
        for expected in [["abc"], ["abc", "bc"], ["abc", "bc", "c"]] {
            try bench.reactor.turn(times: 2)
            #expect(bench.texts == expected)
            bench.sessions[0].resumeReading()
        }
    }

    @Test func `a million bytes pass through a handler that takes odd amounts`() throws {
        var random = SplitMix64(seed: 3)
        var taken: [UInt8] = []
        let bench = try Bench { session, _ in
            session.onBytes { _, bytes in
                let count = min(bytes.byteCount, Int(random.next() % 3000))
                taken += bytes.withUnsafeBytes { Array($0.prefix(count)) }
                return count
            }
        }
        let peer = try bench.connect()
        let stream = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        var sent = 0
        while sent < stream.count {
            sent += max(0, peer.send(stream[sent..<min(sent + 5000, stream.count)]))
            try bench.reactor.turn()
        }
        peer.send([0])
        try bench.reactor.turn(
            until: {
                peer.send([0])
                return taken.count >= stream.count
            }, atMost: 10_000)
        #expect(taken.prefix(stream.count).elementsEqual(stream))
        #expect(bench.reasons == [])
    }
}
