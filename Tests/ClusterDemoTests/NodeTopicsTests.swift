// A node that has as many topics as it may: which one is forgotten for another, and at what cost.
import Glibc
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

    /// Of this thread, in nanoseconds.
    private func processorTime(of body: () -> Void) -> Int {
        func now() -> Int {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return time.tv_sec * 1_000_000_000 + time.tv_nsec
        }
        let start = now()
        body()
        return now() - start
    }

    @Test func `a topic for which there is no room costs as much as one that is known`() throws {
        let count = 20_000
        let stage = try ClusterStage(nodes: 1) { $0.maximumTopics = count }
        let node = stage["a"].node
        for number in 0..<count {
            let topic = try #require(node.topic(Self.name(number)))
            _ = topic.outgoing.next()
            node.idleTopics.update(topic)
        }
        #expect(node.idleTopics.count == 0)
        var refused = 0
        let known = processorTime { for number in 0..<200 { _ = node.topic(Self.name(number)) } }
        let unknown = processorTime {
            for number in 0..<200 where node.topic(Self.name(count + number)) == nil {
                refused += 1
            }
        }
        // A look at all of them would cost thousands of times as much.
        #expect(refused == 200 && unknown < 50 * known)
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
