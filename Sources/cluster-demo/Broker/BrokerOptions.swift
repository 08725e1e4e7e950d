// How a node has its link to the broker, and what befalls that.
import Tron

/// What a node tells the broker of itself, and how long it waits for it.
struct BrokerOptions {
    /// The servers that are tried, in a random order. What they tell of others is tried as well.
    var servers: [SocketAddress]
    /// Names the connection in the server's monitoring: ASCII letters, digits, `-`, `_` and `.`.
    var name = "cluster-demo"
    /// From one PING of this end to its next. 30 s: what a link that only looks alive costs, and a
    /// few bytes.
    var pingInterval = Duration.seconds(30)
    /// How long the answer to a PING may take, and all that comes before a connection's first one:
    /// then the link is dead, whatever the kernel says.
    var patience = Duration.seconds(15)
    /// The delays before each attempt to connect. The nodes that lost one server are many.
    var backoff = Backoff(initial: .milliseconds(100), cap: .seconds(5), jitter: .full)
    /// The time within which a node leaves a server that is about to end. Nodes leave at random
    /// within it, so that not all of them come to the next server at once.
    var departure = Duration.seconds(1)
}

/// What befalls the link to the broker.
enum BrokerEvent: Equatable {
    /// The server has answered, and knows all subscriptions. Its name.
    case ready(server: String)
    /// The link is gone: it is made again.
    case lost(String)
    /// No server could be connected to. Told once, until one is.
    case unreachable(String)
    /// The server complains.
    case complaint(BrokerComplaint)
    /// The server is about to end, and this node goes to another.
    case leaving
    /// What the server is or asks for cannot be dealt with.
    case unusable(String)
}

/// What became of what was to be published.
enum Publishing: Equatable {
    /// It is on its way to the broker.
    case sent
    /// There is no link to the broker.
    case notConnected
    /// More waits for the broker than may: it was not taken.
    case congested
    /// The broker takes no payload of that length.
    case tooLong
}
