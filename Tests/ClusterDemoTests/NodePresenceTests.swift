// The answer to which nodes are present: of as many as are kept track of, and never in vain.
import Testing
import Tron
import TronTestKit

@testable import cluster_demo

@Suite struct NodePresenceTests {
    @Test func `a session learns of as many nodes as are kept track of`() throws {
        let stage = try ClusterStage(nodes: 1)
        let node = stage["a"].node
        let member = try stage.connect(to: "a")
        stage.network.advance(by: .milliseconds(1))
        for number in 0..<NodeTable.capacity + 1 {
            let name = "node-\(number)-" + String(repeating: "x", count: 32)
            let identity = try #require(NodeIdentity(name: String(name.prefix(32)), epoch: 1))
            let record = NodeRecord(
                name: identity.name, epoch: 1, sessions: 7,
                heard: try #require(stage["a"].reactor.reactor).uptime)
            #expect(
                node.nodes.hear(identity.id, record)
                    == (number < NodeTable.capacity ? .appeared : .none))
        }
        let answer = try member.ask(Category.presence, [])
        var input = ByteReader(answer.data)
        #expect(try input.readByte() == Outcome.done.rawValue)
        let count = Int(try input.readInteger(as: UInt16.self))
        var names: Set<String> = []
        for _ in 0..<count {
            try input.skip(8 + 8 + 4)
            names.insert(try input.readText(input.readInteger(as: UInt8.self)))
        }
        #expect(count == 1025 && names.count == 1025 && input.isAtEnd)
        // This node's own name has one byte.
        #expect(answer.data.count == NodeLimits.presence - 31 && NodeLimits.presence == 54_328)
        #expect(node.counters.unanswered == 0)
        try stage.network.finish()
    }

    @Test func `an answer that cannot be queued ends its session, and is counted`() throws {
        var sessions = NodeLimits.sessions
        sessions.session.limits.maximumDataLength = 40
        let stage = try ClusterStage(sessions: sessions)
        let member = try stage.connect(to: "a")
        #expect(try member.publish("x", to: "t").0 == .done)
        member.send(Category.presence, [])
        try stage.network.run(until: { member.peer.hasEnded })
        #expect(stage["a"].node.counters.unanswered == 1)
        try stage.network.finish()
    }
}
