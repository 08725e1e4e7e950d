// What a node is told, what it tells of itself, and its bounds.
import Tron

/// The bounds of a node. Those of its sessions are in `sessions`, the broker's in `BrokerLimits`.
enum NodeLimits {
    /// Bytes of a topic: a line.
    static let topic = 64
    /// Bytes of a text: some paragraphs, in a packet or three of the network.
    static let text = 4096
    /// Topics that a session may have. Each takes some 200 bytes.
    static let topicsPerSession = 64
    /// Topics that have subscribers here: each is a subscription at the broker, and told again at
    /// each connection.
    static let subscribedTopics = 20_000
    /// Losses told at a time, before the broker is asked whether it has them.
    static let lossesAtATime = 1000
    /// Bytes of the answer to who is present: of this node and as many others as are kept track of,
    /// 54,328.
    static let presence = 1 + 2 + (NodeTable.capacity + 1) * NodeIdentity.longestPresence
    /// From a node's appearance to the word of those who are there: all who appear meanwhile hear
    /// the same one, so that a thousand nodes that start at once do not tell a million.
    static let presencePause = Duration.milliseconds(200)

    /// Each session's memory is bounded. One that does not read misses messages, and goes on.
    static var sessions: ServerOptions {
        var options = ServerOptions()
        options.limits.maximumSessions = 20_000
        options.session.overflow = .refuse
        // One answer is as long; a peer may send as much, too, and holds 64 KiB meanwhile.
        options.session.limits.maximumDataLength = max(1 + topic + text, presence)
        // A publisher's window of answers.
        options.session.limits.maximumOwedReplies = 256
        options.session.limits.reservedReplyLength = 64
        options.session.limits.outputHighWatermark = 64 << 10
        options.session.limits.outputLowWatermark = 16 << 10
        options.session.limits.maximumQueuedBytes = 256 << 10
        // The kernel would take megabytes for each who does not read, and so hide them for long.
        options.session.sendBuffer = 64 << 10
        options.session.deadAfter = .seconds(60)
        return options
    }
}

/// What a node is told.
struct NodeOptions {
    var identity: NodeIdentity
    var broker: BrokerOptions
    /// What the subjects of this cluster begin with; two clusters may have one broker.
    var prefix = "tron"
    /// How often a node tells of itself.
    var presenceInterval = Duration.seconds(5)
    /// After how long without a word a node is gone: three were missed.
    var presenceTimeout = Duration.seconds(15)
    /// Topics in all, with those to which sessions here only publish. Some 500 bytes each. When
    /// there are as many, a new one takes the place of one that nobody here has subscribed to and
    /// that the broker has all of: the one for which that has been so for the longest. It is
    /// forgotten, and begins anew with another epoch.
    var maximumTopics = 100_000
}

/// What a node has done.
struct NodeCounters: Equatable {
    /// Messages that sessions here published.
    var published = 0
    /// Of these, how many went to the broker.
    var forwarded = 0
    /// Messages of other nodes.
    var received = 0
    /// Packets that were queued for sessions: messages, each as often as it had receivers here.
    var delivered = 0
    /// Messages that were not queued for sessions that did not read, each as often as that was so.
    var dropped = 0
    /// How often a session fell behind.
    var fellBehind = 0
    /// Gaps that topics' subscribers were told, each told once for all of them.
    var gaps = 0
    /// Messages that came after ones that were published later, or twice. They are dropped.
    var late = 0
    /// Answers that could not be queued. The session ends for each.
    var unanswered = 0
    /// Payloads that no node sends.
    var malformed = 0
}

/// What befalls a node.
enum NodeEvent: CustomStringConvertible {
    case broker(BrokerEvent)
    case appeared(name: String)
    case returned(name: String)
    case left(name: String)
    case gone(name: String)
    /// Another process has this node's name. Only the one that began later is heard.
    case nameIsTaken

    var description: String {
        switch self {
        case .broker(.ready(let server)): "broker: ready (\(server))"
        case .broker(.lost(let reason)): "broker: lost: \(reason)"
        case .broker(.unreachable(let reason)): "broker: not reached: \(reason)"
        case .broker(.complaint(let complaint)): "broker: it complains: \(complaint)"
        case .broker(.leaving): "broker: it is about to end; going to another"
        case .broker(.unusable(let reason)): "broker: unusable: \(reason)"
        case .appeared(let name): "node \(name) is present"
        case .returned(let name): "node \(name) lives again"
        case .left(let name): "node \(name) has left"
        case .gone(let name): "node \(name) is gone"
        case .nameIsTaken: "another node has this name"
        }
    }
}
