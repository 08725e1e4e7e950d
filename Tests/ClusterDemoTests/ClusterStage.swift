// Nodes, a broker and peers on a simulated network; and what peers are told, taken apart.
import Testing
import Tron
import TronTestKit

@testable import cluster_demo

/// A node that a test starts, crashes and asks.
final class StagedNode {
    let name: String
    let port: UInt16
    fileprivate var machine: SimulatedReactor?
    fileprivate var life: (node: Node, server: Server)?
    var events: [String] = []
    fileprivate var lives: UInt64 = 0

    init(_ name: String, port: UInt16) {
        self.name = name
        self.port = port
    }

    /// Those of now: of its last life, once that has ended.
    var reactor: SimulatedReactor { started(machine) }
    var node: Node { started(life).node }
    var server: Server { started(life).server }

    private func started<Value>(_ value: Value?) -> Value {
        guard let value else { preconditionFailure("node \(name) was never started") }
        return value
    }

    var address: String { "127.0.0.1:\(port)" }

    var identity: NodeIdentity { node.options.identity }
}

/// The cluster of a test.
final class ClusterStage {
    static let brokerAddress = "10.9.0.1:4222"

    let network: SimulatedNetwork
    let broker: ScriptedBroker
    private(set) var nodes: [StagedNode] = []
    private var peers = 0

    /// Nodes `a`, `b` and so on, which have found the broker and each other.
    init(
        nodes count: Int = 2, _ network: SimulatedNetwork = SimulatedNetwork(),
        sessions: ServerOptions = NodeLimits.sessions,
        change: (inout NodeOptions) -> Void = { _ in }
    ) throws {
        self.network = network
        broker = try ScriptedBroker(network, at: Self.brokerAddress, named: "broker")
        for number in 0..<count { try addNode(number, sessions, change) }
        try settle()
    }

    subscript(_ name: String) -> StagedNode { nodes[Int(Array(name.utf8)[0] - UInt8(ascii: "a"))] }

    private func addNode(
        _ number: Int, _ sessions: ServerOptions, _ change: (inout NodeOptions) -> Void
    ) throws {
        let name = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(number)))
        let staged = StagedNode(name, port: 9001 + UInt16(number))
        let broker = BrokerOptions(servers: [try SocketAddress(Self.brokerAddress)])
        let identity = try #require(NodeIdentity(name: name, epoch: 1))
        var options = NodeOptions(identity: identity, broker: broker)
        options.broker.name = name
        change(&options)
        // The node's closures do not keep what keeps the node.
        staged.machine = try network.reactor(named: name) { [unowned staged] reactor in
            staged.lives += 1
            var options = options
            options.identity = try #require(
                NodeIdentity(name: name, epoch: staged.lives * 1_000_000))
            let node = Node(options, on: reactor) { [weak staged] in staged?.events.append("\($0)")
            }
            let server = try reactor.listen(
                on: SocketAddress.loopback(port: staged.port), options: sessions
            ) { node.admit($0) }
            staged.life = (node, server)
        }
        nodes.append(staged)
    }

    /// Until all that run have found the broker and each other.
    func settle() throws {
        try network.run(
            until: {
                let running = nodes.filter(\.reactor.isRunning)
                return running.allSatisfy {
                    $0.node.broker.isReady && $0.node.nodes.records.count == running.count - 1
                }
            }, within: .seconds(30))
    }

    func connect(to name: String) throws -> Member {
        peers += 1
        return Member(
            try network.connect(to: self[name].address, named: "peer \(peers)"), network)
    }

    /// A peer that has subscribed.
    func subscriber(at name: String, to topics: String...) throws -> Member {
        let member = try connect(to: name)
        for topic in topics { #expect(try member.subscribe(topic) == .done) }
        return member
    }
}

/// What a session is told without having asked.
enum Told: Equatable {
    case message(topic: String, Position, text: String)
    case gap(topic: String, Gap)
    case goodbye

    init?(_ packet: OwnedPacket) {
        var input = ByteReader(packet.data)
        if packet.category == Category.goodbye {
            self = .goodbye
            return
        }
        guard packet.sequence == -1,
            let topic = Node.readTopic(&input).map({
                String(decoding: $0, as: UTF8.self)
            })
        else { return nil }
        switch packet.category {
        case Category.message:
            guard let position = try? Position(&input) else { return nil }
            self = .message(topic: topic, position, text: input.remaining.text)
        case Category.gap:
            guard let gap = try? Gap(&input), input.isAtEnd else { return nil }
            self = .gap(topic: topic, gap)
        default: return nil
        }
    }
}

/// A session's far side.
final class Member {
    let peer: SimulatedPeer
    private let network: SimulatedNetwork
    private var nextSequence: Int32 = 0
    private(set) var told: [Told] = []
    private(set) var answers: [Int32: OwnedPacket] = [:]

    init(_ peer: SimulatedPeer, _ network: SimulatedNetwork) {
        self.peer = peer
        self.network = network
        peer.onChange = { [unowned self] _ in sort() }
    }

    private func sort() {
        for packet in peer.takePackets() {
            if packet.sequence >= 0 {
                #expect(answers[packet.sequence] == nil)
                answers[packet.sequence] = packet
            } else if let told = Told(packet) {
                self.told.append(told)
            } else {
                Issue.record("not understood: \(packet)")
            }
        }
    }

    /// Reads what waits, too.
    func resumeReading() {
        peer.resumeReading()
        sort()
    }

    var texts: [String] {
        told.compactMap { if case .message(_, _, let text) = $0 { text } else { nil } }
    }

    var positions: [Position] {
        told.compactMap { if case .message(_, let position, _) = $0 { position } else { nil } }
    }

    var gaps: [Gap] { told.compactMap { if case .gap(_, let gap) = $0 { gap } else { nil } } }

    // MARK: Asking

    @discardableResult
    func send(_ category: UInt8, _ data: [UInt8]) -> Int32 {
        defer { nextSequence += 1 }
        peer.send(sequence: nextSequence, category: category, data: data)
        return nextSequence
    }

    static func data(_ topic: String, _ text: String = "") -> [UInt8] {
        var data: [UInt8] = []
        data.append(lengthAnd: Array(topic.utf8))
        return data + Array(text.utf8)
    }

    func ask(_ category: UInt8, _ data: [UInt8]) throws -> OwnedPacket {
        let sequence = send(category, data)
        try network.run(until: { answers[sequence] != nil })
        return try #require(answers[sequence])
    }

    private func outcome(_ answer: OwnedPacket) throws -> Outcome {
        try #require(answer.data.first.flatMap { Outcome(rawValue: $0) })
    }

    @discardableResult
    func subscribe(_ topic: String) throws -> Outcome {
        try outcome(try ask(Category.subscribe, Self.data(topic)))
    }

    @discardableResult
    func unsubscribe(_ topic: String) throws -> Outcome {
        try outcome(try ask(Category.unsubscribe, Self.data(topic)))
    }

    /// The outcome, which message it is, and how many it was queued for here.
    @discardableResult
    func publish(_ text: String, to topic: String) throws -> (Outcome, Position, Int) {
        let answer = try ask(Category.publish, Self.data(topic, text))
        var input = ByteReader(answer.data)
        try input.skip(1)
        let position = try Position(&input)
        let receivers = try input.readInteger(as: UInt32.self)
        return (try outcome(answer), position, Int(receivers))
    }

    /// Publishes and does not wait for the answer.
    @discardableResult
    func say(_ text: String, to topic: String) -> Int32 {
        send(Category.publish, Self.data(topic, text))
    }
}
