// More losses between nodes than are told at a time: all are told, before what comes behind them.
import Testing
import Tron
import TronTestKit

@testable import cluster_demo

@Suite struct ManyLossesTests {
    @Test func `a loss is told before what is published behind it, however many there are`() throws
    {
        let loss = try ManyLosses()
        for topic in loss.topics { loss.speaker.say("2", to: topic) }
        try loss.stage.network.run(until: { loss.told.count == loss.topics.count })
        #expect(loss.stage["a"].node.broker.isReady)
        try loss.stage.network.finish()
    }

    @Test func `a node that ends tells all of its losses before it says so`() throws {
        let loss = try ManyLosses()
        let staged = loss.stage["a"]
        let node = staged.node
        node.leave { node.reactor.stop() }
        try loss.stage.network.run(until: { !staged.reactor.isRunning })
        loss.stage.network.advance(by: .seconds(1))
        #expect(loss.told.count == loss.topics.count)
        #expect(loss.stage["b"].events.contains("node a has left"))
        try loss.stage.network.finish()
    }
}

/// A node whose first messages on many topics were lost with its link, which is there again.
private struct ManyLosses {
    let stage: ClusterStage
    let speaker: Member
    let topics = (0..<NodeLimits.lossesAtATime + 100).map { "t\($0)" }
    private let listeners: [Member]

    init() throws {
        stage = try ClusterStage()
        speaker = try stage.connect(to: "a")
        var listeners: [Member] = []
        for start in stride(from: 0, to: topics.count, by: NodeLimits.topicsPerSession) {
            let listener = try stage.connect(to: "b")
            let some = topics[start..<min(start + NodeLimits.topicsPerSession, topics.count)]
            for topic in some { listener.send(Category.subscribe, Member.data(topic)) }
            try stage.network.run(until: { listener.answers.count == some.count })
            listeners.append(listener)
        }
        self.listeners = listeners
        let count = topics.count
        // It confirms nothing of what it loses.
        stage.broker.copies = { _ in 0 }
        stage.broker.isSilent = true
        for topic in topics { speaker.say("1", to: topic) }
        let speaker = speaker
        try stage.network.run(until: { speaker.answers.count == count })
        let node = stage["a"].node
        let broker = stage.broker
        try stage.network.run(until: { broker.links.contains { $0.published >= count } })
        try #require(broker.links.first { $0.published >= count }).peer.reset()
        try stage.network.run(until: { !node.broker.isReady })
        stage.broker.copies = { _ in 1 }
        stage.broker.isSilent = false
        try stage.network.run(until: { node.broker.isReady })
    }

    /// The topics of which the loss of the first message was told.
    var told: Set<String> {
        let topics = listeners.flatMap(\.told).compactMap { told -> String? in
            guard case .gap(let topic, let gap) = told, gap.reason == .lost, gap.first == 1 else {
                return nil
            }
            return topic
        }
        return Set(topics)
    }
}
