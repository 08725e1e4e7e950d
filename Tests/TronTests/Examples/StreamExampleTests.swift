// The stream example as a process: every byte, slow and hostile peers, its memory, its end.
import Glibc
import Testing

@testable import Tron

@Suite struct StreamExampleTests {
    private func start(_ length: Int) throws -> (ProcessUnderTest, SocketAddress) {
        // Of the address sanitizer, which else keeps what was freed.
        try startExample(
            "example-stream", ["--bytes", "\(length)"],
            environment: ["ASAN_OPTIONS": "quarantine_size_mb=1"])
    }

    /// Whether the server has seen already that its last peers have ended is open.
    private func expectEnd(_ process: ProcessUnderTest) throws {
        process.signal(SIGTERM)
        let outcome = try process.awaitEnd()
        #expect(outcome.status == 0 && outcome.errors == "")
        #expect(outcome.output.hasSuffix(" closed, 0 aborted, 0 replies not given\n"))
    }

    @Test(arguments: [0, 1, 8, 4095, 4096, 4097, 3 << 20 | 5])
    func `a peer gets every byte of the stream, and then a clean end`(length: Int) throws {
        let (process, address) = try start(length)
        for _ in 0..<2 {
            let peer = try Peer(to: address)
            try readAll([peer])
            #expect(StreamedBytes(ofLength: length).fault(of: peer) == nil)
        }
        try expectEnd(process)
    }

    /// What would wait for the slow peer without back pressure is far more than the memory that the
    /// limits allow: the kernel takes some 3 MiB of its stream.
    @Test func `a slow peer delays nobody, is not dropped, and takes no more than its share`()
        throws
    {
        let length = 16 << 20
        let (process, address) = try start(length)
        let stream = StreamedBytes(ofLength: length)
        // What the first stream takes for all that follow, with a sanitizer megabytes, is no queue.
        try readAll([Peer(to: address)])
        let before = try process.highestMemory()
        let slow = try Peer(to: address, receiveBuffer: 4096)
        let others = try (0..<7).map { _ in try Peer(to: address) }
        var round = 0
        try readAll(
            others,
            eachRound: {
                round += 1
                if round % 16 == 0 { slow.drain(atMost: 1024) }
            })
        for peer in others { #expect(stream.fault(of: peer) == nil) }
        // Eight queues of 64 KiB, each beside the block that it grew from; and eight times that,
        // since sanitizers have their own memory for each byte.
        #expect(try process.highestMemory() - before < 8 * (8 * 2 * 64 << 10))
        #expect(!slow.isAtEnd && slow.error == 0)
        try readAll([slow])
        #expect(stream.fault(of: slow) == nil)
        for peer in others + [slow] { peer.close() }
        try expectEnd(process)
    }

    @Test func `hostile peers disturb nobody`() throws {
        let length = 16 << 20
        let (process, address) = try start(length)
        let good = try Peer(to: address)
        let isHalf = { (peer: Peer) in peer.received.count >= length / 2 }
        try readAll([good], until: { $0.received.count >= length / 4 })
        let hostile = try (0..<4).map { _ in try Peer(to: address) }
        let (garbage, half, reset, chatty) = (hostile[0], hostile[1], hostile[2], hostile[3])
        try readAll(hostile, until: { $0.received.count >= length / 4 })
        garbage.send([UInt8](repeating: 0xff, count: 1000))
        half.finish()
        reset.reset()
        for number in 0..<200 { chatty.send(wire("\(number)")) }
        let deaf = try Peer(to: address, receiveBuffer: 4096)
        deaf.send([UInt8](repeating: 0xff, count: 1000))
        try readAll([good], until: isHalf)
        deaf.reset()
        try readAll([good, garbage, half, chatty])
        let stream = StreamedBytes(ofLength: length)
        #expect(stream.fault(of: good) == nil && stream.fault(of: chatty) == nil)
        for peer in [garbage, half] {
            #expect(peer.received.count < length && stream.fault(in: peer.received) == nil)
        }
        for peer in [good, garbage, half, chatty] { peer.close() }
        let last = try Peer(to: address)
        try readAll([last])
        #expect(stream.fault(of: last) == nil)
        last.close()
        try expectEnd(process)
    }

    @Test func `at a signal each peer is told where its stream ends, and then it does`() throws {
        let (process, address) = try start(1 << 43)
        let peers = try (0..<3).map { _ in try Peer(to: address) }
        try readAll(peers, until: { $0.received.count >= 1 << 20 })
        process.signal(SIGTERM)
        try readAll(peers)
        for peer in peers { peer.close() }
        let outcome = try process.awaitEnd()
        #expect(outcome.status == 0 && outcome.errors == "")
        #expect(outcome.output == "3 closed, 0 aborted, 0 replies not given\n")
        let stream = StreamedBytes(ofLength: peers.map(\.received.count).max() ?? 0)
        for peer in peers { #expect(stream.faultOfCut(peer) == nil) }
    }

    @Test func `a second signal does not wait for a peer that does not read`() throws {
        let (process, address) = try start(1 << 43)
        let deaf = try Peer(to: address, receiveBuffer: 4096)
        let peer = try Peer(to: address)
        try readAll([peer], until: { $0.received.count >= 8 << 20 })
        process.signal(SIGTERM)
        try readAll([peer])
        process.signal(SIGTERM)
        let outcome = try process.awaitEnd()
        #expect(outcome.status == 0 && outcome.errors == "")
        deaf.drainToEnd()
        let stream = StreamedBytes(ofLength: deaf.received.count)
        #expect(stream.fault(in: deaf.received) == nil)
    }

    @Test func `help says what there is, and misuse is told`() throws {
        let help = try ProcessUnderTest(["--help"], of: "example-stream").awaitEnd()
        #expect(help.status == 0 && help.output.contains("--bytes"))
        let misuses = [
            [], ["serve"], ["serve", "--port"], ["serve", "--port", "0"], ["play"],
            ["serve", "--bytes", "1"], ["serve", "--port", "65536", "--bytes", "1"],
            ["serve", "--port", "0", "--bytes", "-1"], ["serve", "--port", "0", "--bytes", "x"],
            ["serve", "--port", "0", "--bytes", "\(1 << 43 + 1)"],
            ["serve", "--port", "0", "--bytes", "1", "--more"],
        ]
        for words in misuses {
            let outcome = try ProcessUnderTest(words, of: "example-stream").awaitEnd()
            #expect(outcome.status == 64, "\(words)")
        }
    }
}
