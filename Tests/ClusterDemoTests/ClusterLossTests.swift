// What goes wrong between nodes: each loss is told, nothing comes twice or out of its order.
import Testing
import Tron
import TronTestKit

@testable import cluster_demo

@Suite struct ClusterLossTests {
    @Test func `without a broker a node goes on, publishers are told, and a gap follows`() throws {
        let stage = try ClusterStage()
        let near = try stage.subscriber(at: "a", to: "t")
        let far = try stage.subscriber(at: "b", to: "t")
        try near.publish("before", to: "t")
        stage.network.advance(by: .seconds(1))
        try stage.broker.kill()
        try stage.network.run(until: { !stage["a"].node.broker.isReady })
        for number in 1...3 {
            let (outcome, _, receivers) = try near.publish("away \(number)", to: "t")
            #expect(outcome == .notConnected && receivers == 1)
        }
        let late = try stage.connect(to: "b")
        #expect(try late.subscribe("t") == .notConnected)
        #expect(near.texts.count == 4 && near.gaps.isEmpty)
        stage.network.advance(by: .seconds(30))
        #expect(stage["a"].events.contains { $0.hasPrefix("broker: not reached") })
        try stage.broker.start()
        try stage.settle()
        stage.network.advance(by: .seconds(1))
        try near.publish("after", to: "t")
        try stage.network.run(until: { far.texts.last == "after" && late.texts.last == "after" })

        // What was said meanwhile is not sent later, and is told exactly.
        #expect(far.texts == ["before", "after"] && late.texts == ["after"])
        let reasons = far.gaps.map(\.reason)
        #expect(reasons.sorted { $0.rawValue < $1.rawValue } == [.lost, .linkLost])
        let lost = try #require(far.gaps.first { $0.reason == .lost })
        #expect(lost.first == 2 && lost.last == 4 && lost.publisher == stage["a"].identity.id)
        #expect(late.gaps.contains { $0.reason == .linkLost })
        // Its own node has lost the link as well.
        #expect(near.gaps.map(\.reason) == [.linkLost] && near.texts.count == 5)
        try stage.network.finish()
    }

    @Test func `a node cut off from the broker notices, and what it said meanwhile is told`() throws
    {
        let stage = try ClusterStage()
        let near = try stage.subscriber(at: "a", to: "t", "u")
        let far = try stage.subscriber(at: "b", to: "t", "u")
        try near.publish("1", to: "t")
        stage.network.advance(by: .seconds(1))
        stage.network.partition("a", from: "broker")
        // The link looks alive: what is said goes into it.
        #expect(try near.publish("2", to: "t").0 == .done)
        #expect(try near.publish("first of its topic", to: "u").0 == .done)
        let start = stage.network.now
        try stage.network.run(
            until: { !stage["a"].node.broker.isReady }, within: .seconds(50))
        #expect(stage.network.now - start > .seconds(5))
        #expect(try near.publish("3", to: "t").0 == .notConnected)
        // The other node has not heard of it for so long that it took it for gone.
        #expect(stage["b"].events.contains("node a is gone"))
        stage.network.heal()
        try stage.settle()
        stage.network.advance(by: .seconds(1))
        #expect(far.texts == ["1"])
        let lost = far.told.filter {
            if case .gap(_, let gap) = $0 { gap.reason == .lost } else { false }
        }
        let id = stage["a"].identity.id
        let epochs = near.positions.reduce(into: [:]) { $0[$1.epoch, default: 0] += 1 }
        let epochOfT = try #require(epochs.first { $0.value == 3 }?.key)
        let epochOfU = try #require(epochs.first { $0.value == 1 }?.key)
        let gapOfT = Gap(reason: .lost, publisher: id, epoch: epochOfT, first: 2, last: 3)
        let gapOfU = Gap(reason: .lost, publisher: id, epoch: epochOfU, first: 1, last: 1)
        #expect(lost.contains(.gap(topic: "t", gapOfT)) && lost.contains(.gap(topic: "u", gapOfU)))
        try stage.network.finish()
    }

    @Test func `a broker that only looks alive is left within a ping's time and its patience`()
        throws
    {
        let stage = try ClusterStage()
        stage.network.advance(by: .seconds(100))
        #expect(stage.broker.accepted == 2)
        stage.broker.isSilent = true
        let start = stage.network.now
        try stage.network.run(
            until: { !stage["a"].node.broker.isReady && !stage["b"].node.broker.isReady },
            within: .seconds(60))
        #expect(stage.network.now - start <= .seconds(46))
        // One that does not even greet is left as well.
        let before = stage.broker.accepted
        stage.network.advance(by: .seconds(120))
        #expect(stage.broker.accepted > before + 1)
        stage.broker.isSilent = false
        try stage.settle()
        try stage.network.finish()
    }

    @Test func `a message that the broker loses is told with the next one, before it`() throws {
        let stage = try ClusterStage()
        let speaker = try stage.connect(to: "a")
        let far = try stage.subscriber(at: "b", to: "t")
        var passes = 1
        stage.broker.copies = { $0 == "tron.t.t" ? passes : 1 }
        var epoch: UInt64 = 0
        for (number, count) in [1, 0, 0, 2].enumerated() {
            passes = count
            epoch = try speaker.publish("\(number + 1)", to: "t").1.epoch
            stage.network.advance(by: .seconds(1))
        }
        let id = stage["a"].identity.id
        let position = { Position(publisher: id, epoch: epoch, sequence: $0) }
        let gap = Gap(reason: .lost, publisher: id, epoch: epoch, first: 2, last: 3)
        #expect(
            far.told == [
                .message(topic: "t", position(1), text: "1"), .gap(topic: "t", gap),
                .message(topic: "t", position(4), text: "4"),
            ])
        #expect(stage["b"].node.counters.late == 1)
        try stage.network.finish()
    }

    @Test func `a node that ends without a word is told as gone after its silence`() throws {
        let stage = try ClusterStage()
        let far = try stage.subscriber(at: "b", to: "t", "never used")
        let speaker = try stage.connect(to: "a")
        try speaker.publish("1", to: "t")
        let identity = stage["a"].identity
        stage["a"].reactor.crash()
        let start = stage.network.now
        try stage.network.run(until: { far.gaps.count == 2 })
        #expect((.seconds(10)...(.seconds(21))).contains(stage.network.now - start))
        let gap = Gap(reason: .publisherGone, publisher: identity.id, epoch: identity.epoch)
        #expect(far.gaps == [gap, gap] && stage["b"].node.nodes.records.isEmpty)
        try stage.network.finish()
    }

    @Test func `one that is started again at once is told at once, and heard again`() throws {
        let stage = try ClusterStage()
        let far = try stage.subscriber(at: "b", to: "t")
        let speaker = try stage.connect(to: "a")
        try speaker.publish("1", to: "t")
        stage.network.advance(by: .seconds(1))
        try stage["a"].reactor.restart()
        try stage.network.run(until: { !far.gaps.isEmpty }, within: .seconds(2))
        #expect(far.gaps.map(\.reason) == [.publisherGone])
        let again = try stage.connect(to: "a")
        try again.publish("2", to: "t")
        try stage.network.run(until: { far.texts == ["1", "2"] })
        #expect(far.gaps.count == 1)
        try stage.network.finish()
    }

    @Test func `a node that is drained leaves no gap, and its sessions are sent away`() throws {
        let stage = try ClusterStage()
        let far = try stage.subscriber(at: "b", to: "t")
        let speaker = try stage.subscriber(at: "a", to: "t")
        for number in 1...20 { speaker.say("\(number)", to: "t") }
        try stage.network.run(until: { speaker.answers.count == 21 })
        let staged = stage["a"]
        let node = staged.node
        staged.server.drain(within: .seconds(5)) { _ in node.leave { node.reactor.stop() } }
        try stage.network.run(until: { !staged.reactor.isRunning })
        stage.network.advance(by: .seconds(30))
        #expect(speaker.told.last == .goodbye && speaker.peer.hasEnded)
        #expect(far.texts.count == 20 && far.gaps.isEmpty)
        #expect(stage["b"].events.contains("node a has left"))
        try stage.network.finish()
    }

    @Test func `a session that does not read misses messages, is told how many, and goes on`()
        throws
    {
        let stage = try ClusterStage()
        let quick = try ["a", "b"].map { try stage.subscriber(at: $0, to: "t", "u") }
        let slow = try stage.subscriber(at: "b", to: "t", "u")
        let speaker = try stage.connect(to: "a")
        slow.peer.stopReading()
        let text = String(repeating: "x", count: 4000)
        let count = 400
        for _ in 0..<count {
            speaker.say(text, to: "t")
            stage.network.advance(by: .milliseconds(1))
        }
        speaker.say("u", to: "u")
        try stage.network.run(until: { quick.allSatisfy { $0.texts.count == count + 1 } })
        #expect(stage["b"].node.counters.fellBehind == 1 && quick.allSatisfy(\.gaps.isEmpty))
        // The broker's link is read all the time.
        stage.network.advance(by: .seconds(1))
        #expect(stage.broker.links.allSatisfy { $0.peer.unsentBytes == 0 })
        slow.resumeReading()
        try stage.network.run(until: { slow.gaps.count == 2 })
        let missed = slow.told.reduce(into: [String: UInt64]()) { sums, told in
            if case .gap(let topic, let gap) = told {
                #expect(gap.reason == .slow && gap.first == 0)
                sums[topic, default: 0] += gap.last
            }
        }
        #expect(missed["u"] == 1)
        #expect(slow.texts.count + Int(try #require(missed["t"])) == count)
        #expect(stage["b"].node.counters.dropped == Int(missed.values.reduce(0, +)))
        try speaker.publish("next", to: "t")
        try stage.network.run(until: { slow.texts.last == "next" })
        try stage.network.finish()
    }

    @Test func `what waits for a broker that does not read is bounded, and told`() throws {
        let stage = try ClusterStage()
        let speaker = try stage.connect(to: "a")
        for link in stage.broker.links { link.peer.stopReading() }
        let text = String(repeating: "x", count: 4000)
        var outcomes: [Outcome] = []
        while outcomes.last != .congested, outcomes.count < 4000 {
            outcomes.append(try speaker.publish(text, to: "t").0)
        }
        #expect(outcomes.last == .congested && outcomes.count > 2000)
        #expect(stage["a"].node.broker.waitingBytes <= Broker.maximumPublishedBytes)
        for link in stage.broker.links { link.peer.resumeReading() }
        try stage.network.run(until: { stage["a"].node.broker.waitingBytes == 0 })
        #expect(try speaker.publish(text, to: "t").0 == .done)
    }
}
