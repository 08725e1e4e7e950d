// `cluster-demo` and one of its nodes as processes, with a real broker where there is one.
import Glibc
import Testing
import Tron

@testable import TronTests
@testable import cluster_demo

@Suite struct DemonstrationTests {
    private static var hasBroker: Bool { Platform.program(named: "nats-server") != nil }

    @Test(.enabled(if: hasBroker)) func `two nodes and a broker go through all steps`() throws {
        let outcome = try ProcessUnderTest([], of: "cluster-demo").awaitEnd()
        #expect(outcome.status == 0 && outcome.errors == "", "\(outcome)")
        #expect(outcome.output.hasSuffix("All 5 steps went as they have to.\n"))
        #expect(outcome.output.contains("Ann      is told: messages 2 to 2 did not come"))
    }

    @Test func `without a broker it says how to get one, and shows one node`() throws {
        let outcome = try ProcessUnderTest(
            [], of: "cluster-demo", environment: ["PATH": "/nowhere"]
        ).awaitEnd()
        #expect(outcome.status == 0 && outcome.errors == "", "\(outcome)")
        #expect(outcome.output.contains("apt-get install nats-server"))
        #expect(outcome.output.hasSuffix("That went as it has to.\n"))
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a node that is told to end sends its sessions away, and says what it did`(
        signal: Int32
    ) throws {
        // Nobody listens at the broker's port.
        let process = try ProcessUnderTest(
            [
                "node", "--listen", "127.0.0.1:0", "--broker", "127.0.0.1:1", "--spread", "0",
                "--metrics", "0",
            ],
            of: "cluster-demo")
        let words = try process.readLine().split(separator: " ")
        let peer = try Peer(to: try SocketAddress(String(words[2])))
        peer.send(
            OwnedPacket(
                sequence: 1, category: Category.publish, data: [1, 116] + Array("x".utf8)
            ).wireBytes)
        var polled = pollfd(fd: peer.descriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&polled, 1, ProcessUnderTest.patience) == 1)
        let scraper = try Peer(
            to: SocketAddress(String(process.readLine().dropFirst("metrics on ".count))))
        scraper.send("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8)
        scraper.drainToEnd()
        scraper.close()
        let metrics = String(decoding: scraper.received, as: UTF8.self)
        #expect(metrics.contains("\ncluster_messages_published_total 1\n"))
        #expect(metrics.contains("\ncluster_broker_ready 0\n"))
        process.signal(signal)
        peer.drainToEnd()
        #expect(peer.packets.map(\.category) == [Category.publish, Category.goodbye])
        #expect(peer.packets.first?.data.first == Outcome.notConnected.rawValue)
        peer.close()
        let outcome = try process.awaitEnd()
        #expect(outcome.status == 0 && outcome.output.hasPrefix("published 1, forwarded 0, "))
        #expect(outcome.errors.contains(" closed, 0 aborted"))
    }
}
