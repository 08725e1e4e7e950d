// How a client connects, retries and asks; and what it reports.

/// How a client connects and asks.
public struct ClientOptions: Sendable {
    /// How its sessions behave.
    public var session = SessionOptions.client

    /// The time for one attempt at one address. Default 10 s.
    public var connectTimeout: Duration = .seconds(10)

    /// What proves a connection, so that the backoff starts anew after it. Default `.reception`.
    public var proof = ConnectionProof.reception

    /// A connection that lasted this long has proved itself, too. Nil, the default: only its
    /// `proof` proves it.
    public var stablePeriod: Duration?

    /// After how many requests in a row that timed out the connection counts as failed and is made
    /// anew. Default 1. Nil: a timeout ends its request alone.
    public var timeoutsBeforeReconnect: Int? = 1

    /// What becomes of a request while there is no connection. Default `.wait`.
    public var whileDisconnected = DisconnectedPolicy.wait

    /// Requests that may wait for their answer or for a connection; more are refused. Default
    /// 65,536.
    public var maximumPendingRequests = 65_536

    /// Of these, how many may be kept as a copy: those that wait for a connection, until they have
    /// ended, and those that may be sent again. Default 1,024.
    public var maximumCopiedRequests = 1024

    /// Seeds the backoff's jitter, for tests that repeat it. Nil, the default: random.
    public var jitterSeed: UInt64?

    /// The first request's sequence. Tests start near the wrap.
    var firstSequence: Int32 = 0

    /// The defaults.
    public init() {}

    /// Traps on numbers of requests that no client can have.
    func validate() {
        demand(
            (1...1 << 30).contains(maximumPendingRequests), "maximumPendingRequests: 1 to 2^30")
        demand(maximumCopiedRequests >= 0, "maximumCopiedRequests: not negative")
    }
}

/// What proves a client's connection. One that has not proved itself counts as an attempt that
/// failed: the next one waits longer, and the last one gives up.
public enum ConnectionProof: Sendable, Hashable {
    /// It has received something that was accepted: a packet, a frame, or bytes that a handler
    /// consumed.
    case reception
    /// The program has called `Client.confirm(_:)`: for a server that greets whom it then refuses,
    /// a password being wrong, say.
    case confirmation
}

/// What becomes of a request while there is no connection.
public enum DisconnectedPolicy: Sendable, Hashable {
    /// It fails at once, with `RequestError.notConnected`.
    case fail
    /// It waits for the next connection, within its own deadline.
    case wait
}

/// Where a client stands.
public enum ClientState: Hashable, Sendable, CustomStringConvertible {
    /// It resolves the name, or tries the addresses in turn.
    case connecting
    /// A session stands.
    case connected
    /// The attempt of this number (1 for the first after a connection) follows after the delay.
    case waiting(delay: Duration, attempt: Int)
    /// It does not try any more. Final.
    case gaveUp(ClientFailure)
    /// `close()` was called, or the reactor stopped. Final.
    case closed

    /// The state in words.
    public var description: String {
        switch self {
        case .connecting: "connecting"
        case .connected: "connected"
        case .waiting(let delay, let attempt): "waiting \(delay) before attempt \(attempt)"
        case .gaveUp(let failure): "gave up: \(failure)"
        case .closed: "closed"
        }
    }

    /// Whether no further state follows.
    public var isFinal: Bool {
        switch self {
        case .gaveUp, .closed: true
        case .connecting, .connected, .waiting: false
        }
    }
}

/// Why a client has no connection.
public enum ClientFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What it is to connect to is neither an address nor `name:port`.
    case invalidAddress(AddressError)
    /// The name has no address.
    case unresolved(ResolutionError)
    /// The last of its addresses could not be connected to.
    case unreachable(ConnectError)
    /// The connection stood and ended.
    case lost(CloseReason)

    /// The failure in words.
    public var description: String {
        switch self {
        case .invalidAddress(let error): error.description
        case .unresolved(let error): error.description
        case .unreachable(let error): error.description
        case .lost(let reason): "connection lost: \(reason)"
        }
    }

    /// Whether a later attempt can succeed.
    var isWorthARetry: Bool {
        switch self {
        case .invalidAddress: false
        case .unreachable(.refused(let error)): error.cause.isWorthARetry
        case .unresolved, .unreachable, .lost: true
        }
    }
}

/// Why a request has no answer.
public enum RequestError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No answer within the request's time. It may have been carried out all the same.
    case timedOut
    /// The connection ended before the answer. It may have been carried out all the same.
    case connectionLost(CloseReason)
    /// There is no connection, and the policy is not to wait; or the client has given up.
    case notConnected
    /// As many requests wait as may.
    case tooManyPending
    /// The data exceeds `SessionLimits.maximumDataLength`.
    case tooLarge
    /// More output waits than the session may hold: the peer reads too slowly. By
    /// `SessionOptions.overflow` that ends the session, and other requests are lost with it.
    case overflow
    /// The task that awaited it was cancelled. The peer may have carried it out.
    case cancelled
    /// The client was closed, or the reactor stopped.
    case closed

    /// The error in words.
    public var description: String {
        switch self {
        case .timedOut: "no answer in time"
        case .connectionLost(let reason): "connection lost: \(reason)"
        case .notConnected: "not connected"
        case .tooManyPending: "too many requests pending"
        case .tooLarge: "more data than a packet may have"
        case .overflow: "more output waits than allowed"
        case .cancelled: "cancelled"
        case .closed: "closed"
        }
    }
}
