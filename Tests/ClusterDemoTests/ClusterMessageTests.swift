// Messages and topics of a cluster, on a simulated network with a scripted broker.
import Testing
import Tron
import TronTestKit

@testable import cluster_demo

@Suite struct ClusterMessageTests {
    @Test func `a message reaches each subscriber of each node once, and nobody else`() throws {
        let stage = try ClusterStage(nodes: 3)
        let near = try stage.subscriber(at: "a", to: "news", "other")
        let far = try ["b", "b", "c"].map { try stage.subscriber(at: $0, to: "news") }
        let stranger = try stage.subscriber(at: "c", to: "sport")
        let (outcome, position, receivers) = try near.publish("hello", to: "news")
        #expect(outcome == .done && receivers == 1)
        #expect(
            position
                == Position(
                    publisher: stage["a"].identity.id, epoch: position.epoch, sequence: 1))
        try stage.network.run(until: { far.allSatisfy { !$0.told.isEmpty } })
        stage.network.advance(by: .seconds(1))
        let message = Told.message(topic: "news", position, text: "hello")
        #expect((far + [near]).allSatisfy { $0.told == [message] } && stranger.told.isEmpty)
        try stage.network.finish()
    }

    @Test func `the broker is told who a node is, and not to echo`() throws {
        let stage = try ClusterStage()
        let connects = stage.broker.links.compactMap(\.connect)
        #expect(connects.count == 2)
        for connect in connects {
            for member in ["\"verbose\":false", "\"echo\":false", "\"protocol\":1"] {
                #expect(connect.contains(member))
            }
        }
        #expect(connects.contains { $0.contains("\"name\":\"a\"") })
    }

    @Test func `a topic is subscribed with its first subscriber, and left with its last`() throws {
        let stage = try ClusterStage()
        let topics = { stage.broker.subjects.filter { $0.hasPrefix("tron.t.") } }
        let (one, two) = (try stage.connect(to: "a"), try stage.connect(to: "a"))
        #expect(topics().isEmpty)
        try one.subscribe("x.y")
        #expect(topics() == ["tron.t.x=2ey"])
        try two.subscribe("x.y")
        try two.subscribe("x.y")
        #expect(topics().count == 1)
        #expect(try one.unsubscribe("x.y") == .done)
        #expect(try one.unsubscribe("x.y") == .notSubscribed)
        stage.network.advance(by: .seconds(1))
        #expect(topics().count == 1)
        two.peer.close()
        stage.network.advance(by: .seconds(1))
        #expect(topics().isEmpty && stage["a"].node.subscribed.isEmpty)
        try stage.network.finish()
    }

    @Test func `who has unsubscribed is sent nothing more, and may subscribe again`() throws {
        let stage = try ClusterStage()
        let (speaker, listener) = (try stage.connect(to: "a"), try stage.connect(to: "b"))
        for round in 1...3 {
            try listener.subscribe("t")
            try speaker.publish("heard \(round)", to: "t")
            stage.network.advance(by: .seconds(1))
            try listener.unsubscribe("t")
            try speaker.publish("not heard", to: "t")
            stage.network.advance(by: .seconds(1))
        }
        #expect(listener.texts == ["heard 1", "heard 2", "heard 3"] && listener.gaps.isEmpty)
        try stage.network.finish()
    }

    @Test func `messages of one node come in their order, whoever published them`() throws {
        let stage = try ClusterStage()
        let listeners = try ["a", "b"].map { try stage.subscriber(at: $0, to: "t") }
        let speakers = try (0..<3).map { _ in try stage.connect(to: "a") }
        for number in 0..<100 { speakers[number % 3].say("\(number)", to: "t") }
        try stage.network.run(until: { listeners.allSatisfy { $0.texts.count == 100 } })
        for listener in listeners {
            #expect(listener.positions.map(\.sequence) == Array(1...100))
            #expect(listener.texts == listeners[0].texts)
        }
        try stage.network.finish()
    }

    @Test(
        arguments: [
            (1, []), (1, [0]), (1, [2, 65]), (1, [1, 65, 66]), (1, [1, 0xff]), (2, [5]), (3, []),
            (3, [0, 65]), (3, [65] + [UInt8](repeating: 65, count: 65)), (9, []), (16, [1, 65]),
            (3, [1, 65] + [UInt8](repeating: 65, count: NodeLimits.text + 1)),
        ] as [(UInt8, [UInt8])])
    func `what is no request is answered so, and harms nobody`(
        category: UInt8, data: [UInt8]
    ) throws {
        let stage = try ClusterStage(nodes: 1)
        let member = try stage.connect(to: "a")
        if data.count > NodeLimits.text + 1 + NodeLimits.topic {
            // More than a packet may have.
            member.send(category, data)
            try stage.network.run(until: { member.peer.hasEnded || member.peer.isBroken })
        } else {
            #expect(try member.ask(category, data).data == [Outcome.malformed.rawValue])
            #expect(try member.subscribe("t") == .done)
        }
        try stage.network.finish()
    }

    @Test func `a packet that asks nothing ends its session`() throws {
        let stage = try ClusterStage(nodes: 1)
        let member = try stage.connect(to: "a")
        member.peer.send(sequence: -1, category: Category.publish, data: Member.data("t", "x"))
        try stage.network.run(until: { member.peer.hasEnded })
    }

    @Test func `a session has as many topics as it may`() throws {
        let stage = try ClusterStage(nodes: 1)
        let member = try stage.connect(to: "a")
        for number in 0..<NodeLimits.topicsPerSession {
            #expect(try member.subscribe("t\(number)") == .done)
        }
        #expect(try member.subscribe("more") == .tooManyTopics)
        #expect(try member.unsubscribe("t0") == .done)
        #expect(try member.subscribe("more") == .done)
    }

    @Test func `topics to which nobody here subscribes are forgotten when others need the room`()
        throws
    {
        let stage = try ClusterStage { $0.maximumTopics = 10 }
        let speaker = try stage.subscriber(at: "a", to: "kept")
        let listener = try stage.subscriber(at: "b", to: "topic 1")
        var epochs: Set<UInt64> = []
        for round in 1...3 {
            for number in 0..<20 {
                let (outcome, position, _) = try speaker.publish("\(round)", to: "topic \(number)")
                if number == 1 { epochs.insert(position.epoch) }
                #expect(outcome == .done && stage["a"].node.topics.count <= 10)
                stage.network.advance(by: .milliseconds(10))
            }
        }
        // Each time it belongs to another epoch, and nobody takes it for an old one.
        #expect(epochs.count == 3 && listener.texts == ["1", "2", "3"] && listener.gaps.isEmpty)
        // What the broker may not have is not forgotten.
        try stage.broker.kill()
        try stage.network.run(until: { !stage["a"].node.broker.isReady })
        for number in 0..<9 { try speaker.publish("x", to: "away \(number)") }
        let answer = try speaker.ask(Category.publish, Member.data("one more", "x"))
        #expect(answer.data == [Outcome.tooManyTopics.rawValue])
        try speaker.publish("x", to: "kept")
        try stage.network.finish()
    }

    @Test func `sessions learn which nodes are present`() throws {
        let stage = try ClusterStage(nodes: 3)
        let members = try ["a", "a", "b"].map { try stage.connect(to: $0) }
        stage.network.advance(by: .seconds(6))
        let answer = try members[0].ask(Category.presence, [])
        var input = ByteReader(answer.data)
        #expect(try input.readByte() == Outcome.done.rawValue)
        var found: [String: UInt32] = [:]
        for _ in 0..<(try input.readInteger(as: UInt16.self)) {
            let id = try input.readInteger(as: UInt64.self)
            let epoch = try input.readInteger(as: UInt64.self)
            let sessions = try input.readInteger(as: UInt32.self)
            let name = try input.readText(input.readInteger(as: UInt8.self))
            #expect(stage[name].identity == NodeIdentity(name: name, epoch: epoch))
            #expect(stage[name].identity.id == id)
            found[name] = sessions
        }
        #expect(found == ["a": 2, "b": 1, "c": 0] && input.isAtEnd)
    }
}
