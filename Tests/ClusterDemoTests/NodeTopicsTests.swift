// A node that has as many topics as it may: which one is forgotten for another.
import Testing
import Tron
import TronTestKit

@testable import cluster_demo

@Suite struct NodeTopicsTests {
    private static func name(_ number: Int) -> [UInt8] { Array("topic \(number)".utf8) }

    @Test func `the topic that has been idle for the longest makes room for one more`() throws {
        let stage = try ClusterStage(nodes: 1) { $0.maximumTopics = 4 }
        let member = try stage.connect(to: "a")
        let node = stage["a"].node
        func has(_ names: String...) -> Bool {
            Set(node.topics.keys) == Set(names.map { Array($0.utf8) })
        }
        func publish(_ topic: String) throws {
            #expect(try member.publish("x", to: topic).0 == .done)
            stage.network.advance(by: .seconds(1))
        }
        for topic in ["a", "b", "c", "d"] { try publish(topic) }
        try publish("e")
        #expect(has("b", "c", "d", "e"))
        // One that was used again is younger, and one that is subscribed to stays.
        try publish("b")
        #expect(try member.subscribe("c") == .done)
        try publish("f")
        try publish("g")
        #expect(has("b", "c", "f", "g") && node.idleTopics.count == 3)
        #expect(try member.unsubscribe("c") == .done)
        for topic in ["h", "i", "j"] { try publish(topic) }
        #expect(has("c", "h", "i", "j"))
        try publish("k")
        #expect(has("h", "i", "j", "k") && node.idleTopics.count == 4)
        try stage.network.finish()
    }

    @Test func `a topic that found no subscription to be had is forgotten as others are`() throws {
        let stage = try ClusterStage(nodes: 1) { $0.maximumTopics = 2 }
        let (member, node) = (try stage.connect(to: "a"), stage["a"].node)
        for number in -NodeLimits.subscribedTopics..<0 {
            node.subscribed[number] = node.topic(Self.name(0))
        }
        for number in 0..<4 { #expect(try member.subscribe("x \(number)") == .tooManyTopics) }
        #expect(node.topics.count == 2 && node.idleTopics.count == 2)
        node.subscribed = [:]
        #expect(try member.subscribe("y") == .done)
        try stage.network.finish()
    }

    @Test func `the list of idle topics agrees with the topics, whatever becomes of them`() throws {
        let stage = try ClusterStage(nodes: 2) { $0.maximumTopics = 12 }
        let node = stage["a"].node
        let members = try (0..<3).map { _ in try stage.connect(to: "a") }
        var numbers = SeededGenerator(stage.network.seed)
        for round in 0..<300 {
            let topic = "t\(Int.random(in: 0..<20, using: &numbers))"
            let member = members[round % 3]
            switch Int.random(in: 0..<4, using: &numbers) {
            case 0: member.send(Category.subscribe, Member.data(topic))
            case 1: member.send(Category.unsubscribe, Member.data(topic))
            default: member.say("x", to: topic)
            }
            if round == 150 { try stage.broker.kill() }
            stage.network.advance(by: .milliseconds(Int.random(in: 0...2, using: &numbers)))
            #expect(node.topics.count <= 12)
            let idle = node.topics.values.filter(\.isIdle)
            let agrees =
                node.idleTopics.count == idle.count && idle.allSatisfy { $0.idlePlace.isListed }
            try #require(agrees, "round \(round), seed \(stage.network.seed)")
        }
        try stage.network.finish()
    }

    @Test func `where no topic is idle another one is refused, and none is forgotten`() throws {
        let stage = try ClusterStage(nodes: 1) { $0.maximumTopics = 100 }
        let node = stage["a"].node
        for number in 0..<100 {
            let topic = try #require(node.topic(Self.name(number)))
            _ = topic.outgoing.next()
            node.idleTopics.update(topic)
        }
        #expect(node.idleTopics.count == 0)
        #expect((100..<120).allSatisfy { node.topic(Self.name($0)) == nil })
        #expect((0..<100).allSatisfy { node.topics[Self.name($0)] != nil })
        try stage.network.finish()
    }

    @Test func `a long list of idle topics is released with its node`() throws {
        weak var released: Node?
        do {
            let stage = try ClusterStage(nodes: 1)
            let node = stage["a"].node
            released = node
            for number in 0..<50_000 { _ = node.topic(Self.name(number)) }
            #expect(node.idleTopics.count == 50_000)
            try stage.network.finish()
        }
        #expect(released == nil)
    }
}
