// Brokers that move, complain, misbehave; and clusters to which anything may happen.
import Testing
import Tron
import TronTestKit

@testable import cluster_demo

@Suite struct ClusterBrokerTests {
    @Test func `a broker that is about to end is left for another that it named`() throws {
        let stage = try ClusterStage()
        let other = try ScriptedBroker(stage.network, at: "10.9.0.2:4222", named: "other")
        let (near, far) = (
            try stage.subscriber(at: "a", to: "t"), try stage.subscriber(at: "b", to: "t")
        )
        stage.broker.info = "\"connect_urls\":[\"\(other.address)\",\"10.9.0.3:4222\",\"junk\"]"
        stage.broker.sayInfo()
        stage.network.advance(by: .seconds(1))
        #expect(stage.broker.links.count == 2)
        stage.broker.info += ",\"ldm\":true"
        stage.broker.sayInfo()
        try stage.network.run(until: { other.links.count == 2 })
        try stage.settle()
        #expect(stage.broker.links.isEmpty)
        stage.network.advance(by: .seconds(1))
        #expect(far.gaps.map(\.reason) == [.linkLost])
        try near.publish("by another way", to: "t")
        try stage.network.run(until: { far.texts == ["by another way"] })
        try stage.network.finish()
    }

    @Test func `a broker that names no other is not left before its end`() throws {
        let stage = try ClusterStage()
        stage.broker.info = "\"ldm\":true"
        stage.broker.sayInfo()
        stage.network.advance(by: .seconds(5))
        #expect(stage.broker.accepted == 2 && stage.broker.links.count == 2)
    }

    @Test func `a broker that was named is tried when the first is lost`() throws {
        let stage = try ClusterStage()
        let other = try ScriptedBroker(stage.network, at: "10.9.0.2:4222", named: "other")
        stage.broker.info = "\"connect_urls\":[\"\(other.address)\"]"
        stage.broker.sayInfo()
        stage.network.advance(by: .seconds(1))
        try stage.broker.kill()
        try stage.network.run(until: { other.links.count == 2 })
        try stage.settle()
    }

    @Test func `complaints are told; a slow consumer is cut, comes back and has its gap`() throws {
        let stage = try ClusterStage()
        let far = try stage.subscriber(at: "b", to: "t")
        stage.broker.say("-ERR 'Permissions Violation for Subscription to \"x\"'\r\n+OK\r\n")
        stage.network.advance(by: .seconds(1))
        #expect(stage.broker.accepted == 2)
        stage.broker.say("-ERR 'Slow Consumer'\r\n")
        for link in stage.broker.links { link.peer.finish() }
        try stage.network.run(until: { stage.broker.accepted == 4 })
        try stage.network.run(until: { !far.gaps.isEmpty })
        #expect(far.gaps.map(\.reason) == [.linkLost])
        let events = stage["b"].events
        #expect(events.contains("broker: it complains: slow consumer"))
        #expect(events.contains { $0.hasPrefix("broker: it complains: Permissions Violation") })
        try stage.network.finish()
    }

    @Test(arguments: [
        "INFO {\"tls_required\":true}\r\n", "INFO {\"auth_required\":true}\r\n", "INFO {\r\n",
        "INFO \r\n", "HTTP/1.1 400 Bad Request\r\n", "MSG x 1 2\r\nabc\r\n", "\0\0\0\0\r\n",
        "MSG x 1 9999999\r\n", String(repeating: "x", count: 70_000),
    ])
    func `a broker that cannot be dealt with is tried again, and harms nobody`(text: String) throws
    {
        let stage = try ClusterStage()
        let member = try stage.subscriber(at: "a", to: "t")
        stage.broker.say(text)
        try stage.network.run(until: { stage.broker.accepted >= 4 })
        try stage.settle()
        try member.publish("goes on", to: "t")
        try stage.network.run(until: { member.texts == ["goes on"] })
        try stage.network.finish()
    }

    @Test(
        arguments: [
            [], [16], [16, 0], [16, 1, 65], [16, 1, 116],
            [16, 1, 116] + [UInt8](repeating: 0, count: 23),
            [17, 1, 116, 1] + [UInt8](repeating: 0, count: 32), [17, 1, 116, 9],
            [17, 1, 116, 1] + [UInt8](repeating: 255, count: 33), [99, 1, 116],
            [16, 1, 116] + [UInt8](repeating: 1, count: 24 + NodeLimits.text + 1),
        ] as [[UInt8]])
    func `a payload that no node sends is dropped and counted`(payload: [UInt8]) throws {
        let stage = try ClusterStage()
        let member = try stage.subscriber(at: "a", to: "t")
        stage.broker.publish(payload, to: "tron.t.t")
        stage.broker.publish(payload, to: "tron.nodes")
        stage.broker.publish([20] + [UInt8](repeating: 1, count: 20) + [1, 65], to: "tron.nodes")
        stage.network.advance(by: .seconds(1))
        #expect(member.told.isEmpty && stage["a"].node.counters.malformed == 3)
        #expect(stage["a"].node.broker.isReady && stage["a"].node.nodes.records.count == 1)
        try stage.network.finish()
    }

    @Test(arguments: ["\"tls_required\":true", "\"auth_required\":true", "\"a\":"])
    func `a broker that greets and cannot be dealt with is not asked without a pause`(
        info: String
    ) throws {
        let stage = try ClusterStage(nodes: 1)
        stage.broker.info = info
        try stage.broker.kill()
        try stage.broker.start()
        stage.network.advance(by: .seconds(60))
        // Delays of up to five seconds, half of that in the mean.
        #expect((10...60).contains(stage.broker.accepted))
        stage.broker.info = ""
        try stage.settle()
    }

    @Test func `a payload above what the server takes is told to its publisher`() throws {
        let stage = try ClusterStage()
        stage.broker.maximumPayload = 100
        stage.broker.sayInfo()
        stage.network.advance(by: .seconds(1))
        let member = try stage.connect(to: "a")
        #expect(try member.publish(String(repeating: "x", count: 200), to: "t").0 == .congested)
        #expect(try member.publish("x", to: "t").0 == .done)
    }

    @Test func `another node with the same name is told of`() throws {
        let stage = try ClusterStage()
        let taken = try #require(NodeIdentity(name: "a", epoch: 77))
        stage.broker.publish(
            [NodeWord.present] + [UInt8](presenceOf: taken, sessions: 0), to: "tron.nodes")
        stage.network.advance(by: .seconds(1))
        #expect(stage["a"].events.contains("another node has this name"))
    }

    @Test func `whatever happens to brokers and nodes, nothing comes twice and each loss is told`()
        throws
    {
        try SimulatedNetwork.explore(seeds: 20) { network in
            let story = try ClusterStory(network)
            try story.play()
        }
    }
}

/// Speakers and listeners of three nodes, while links break. Afterwards each listener has, for each
/// message, heard it, or was told a gap that it lies in.
final class ClusterStory {
    private let stage: ClusterStage
    private let network: SimulatedNetwork
    private var random: SeededGenerator
    private let listeners: [Member]
    private let speakers: [Member]

    init(_ network: SimulatedNetwork) throws {
        self.network = network
        random = SeededGenerator(network.seed)
        let stage = try ClusterStage(nodes: 3, network)
        self.stage = stage
        listeners = try ["a", "b", "c", "c"].map { try stage.subscriber(at: $0, to: "t") }
        speakers = try ["a", "b"].map { try stage.connect(to: $0) }
        for fault in [SimulatedFault.shortRead, .shortWrite] {
            network.setProbability(of: fault, to: 0.2)
        }
    }

    func play() throws {
        for round in 0..<60 {
            for speaker in speakers { speaker.say("\(round)", to: "t") }
            network.advance(by: .milliseconds(Int.random(in: 0...300, using: &random)))
            try disturb()
        }
        network.heal()
        stage.broker.copies = { _ in 1 }
        if !stage.broker.isRunning { try stage.broker.start() }
        try network.run(until: { speakers.allSatisfy { $0.answers.count == 60 } })
        network.advance(by: .seconds(60))
        try stage.settle()
        // One more, whose arrival shows that all before it has been settled.
        for speaker in speakers { speaker.say("end", to: "t") }
        network.advance(by: .seconds(5))
        for listener in listeners { check(listener) }
    }

    private func disturb() throws {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: if stage.broker.isRunning { try stage.broker.kill() }
        case 1, 2, 3: if !stage.broker.isRunning { try stage.broker.start() }
        case 4: network.partition(["a", "b", "c"].randomElement(using: &random)!, from: "broker")
        case 5, 6: network.heal()
        case 7: stage.broker.links.randomElement(using: &random)?.peer.reset()
        case 8:
            var left = 2
            stage.broker.copies = { subject in
                guard subject == "tron.t.t", left > 0 else { return 1 }
                left -= 1
                return 0
            }
        default: break
        }
    }

    /// Of each publisher and epoch: sequences increase, the last has come, and each that is missing
    /// lies in a gap, or some gap that names no sequences was told after the one before it.
    private func check(_ listener: Member) {
        var heard: [Position: [(sequence: UInt64, place: Int)]] = [:]
        for (place, told) in listener.told.enumerated() {
            guard case .message(_, let position, _) = told else { continue }
            var stream = position
            stream.sequence = 0
            #expect(position.sequence > heard[stream]?.last?.sequence ?? 0)
            heard[stream, default: []].append((position.sequence, place))
        }
        #expect(heard.count == 2)
        for (stream, messages) in heard {
            #expect(messages.last?.sequence == 61, "seed \(network.seed)")
            var before = (sequence: UInt64(0), place: -1)
            for message in messages {
                for missing in before.sequence + 1..<message.sequence {
                    let isTold = isTold(missing, of: stream, since: before.place, listener)
                    #expect(isTold, "\(missing) of \(stream), \(listener.told)")
                }
                before = message
            }
        }
    }

    private func isTold(
        _ missing: UInt64, of stream: Position, since place: Int, _ listener: Member
    ) -> Bool {
        listener.told.enumerated().contains { index, told in
            guard case .gap(_, let gap) = told else { return false }
            switch gap.reason {
            case .lost:
                return gap.publisher == stream.publisher && gap.epoch == stream.epoch
                    && (gap.first...gap.last).contains(missing)
            case .linkLost: return index > place
            case .publisherGone: return index > place && gap.publisher == stream.publisher
            case .slow: return false
            }
        }
    }
}
