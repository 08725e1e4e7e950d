// What happens in a reactor, for whoever logs it.

/// Something that happened in a reactor. Its description is a line for a log.
public enum ReactorEvent: Sendable, CustomStringConvertible {
    /// A server listens.
    case listening(SocketAddress)
    /// A server has stopped listening; its sessions may go on.
    case stoppedListening(SocketAddress)
    /// A server was drained: it has no sessions left.
    case drained(SocketAddress, DrainReport)
    /// A server has a new session.
    case accepted(SessionID, peer: SocketAddress?)
    /// A server closed a connection that was no session yet.
    case refused(peer: SocketAddress?, Refusal)
    /// The kernel refused a server a connection that waited (accept(2)).
    case acceptFailed(SocketAddress, SystemError)
    /// No descriptor, or no memory, is free: a server accepts nothing until one is, and looks again
    /// when this reactor closes one, or after 50 milliseconds.
    case outOfDescriptors(SocketAddress, SystemError)
    /// More connections wait than `ServerLimits.maximumAcceptRate` lets a server accept now.
    case acceptingPaced(SocketAddress)
    /// A client or `Reactor.connectOnce` has a new session.
    case connected(SessionID, to: SocketAddress?)
    /// A session has ended. A peer that broke the protocol shows here, as `.protocolFault`.
    case closed(SessionID, peer: SocketAddress?, CloseReason, Traffic)
    /// `RemoteReactor.reply` gave a reply that the session refused: its peer gets none.
    case replyLost(SessionID, ReplyOutcome)
    /// A client has no connection, and waits for the next attempt.
    case reconnecting(target: String, after: Duration, attempt: Int, ClientFailure)
    /// A client does not try any more.
    case gaveUp(target: String, ClientFailure)
    /// The supervisor could not be told something (`Reactor.report(to:)`): it may end the process.
    case supervisorNotTold(SystemError)
    /// A handler kept all others waiting: of this session, or of a timer, a server or a client.
    case slowHandler(SessionID?, Duration)
    /// So many events were left out, because there were more in a second than asked for.
    case suppressed(Int)

    /// Why a connection was closed before it was a session.
    public enum Refusal: Sendable, Hashable, CustomStringConvertible {
        /// `ServerLimits.maximumSessions`.
        case sessions
        /// `ServerLimits.maximumSessionsPerAddress`.
        case sessionsPerAddress
        /// The address is in none of the networks of `ServerOptions.proxyProtocol`.
        case untrustedProxy
        /// `ServerLimits.maximumConnectionsWithoutHeader`.
        case connectionsWithoutHeader
        /// What the proxy sent is no PROXY header, or none that is accepted.
        case proxyHeader(ProxyHeaderFault)
        /// The PROXY header did not come within `ProxyProtocol.timeLimit`.
        case lateProxyHeader
        /// The connection ended before its PROXY header had come: the peer's end of stream, or what
        /// the kernel says.
        case endedBeforeProxyHeader(SystemError?)
        /// The server stopped listening before the PROXY header had come.
        case stoppedBeforeProxyHeader
        /// Another reactor of its group handed it over (`ReactorGroup`), and the server has stopped
        /// listening meanwhile.
        case serverStopped

        /// The reason in words.
        public var description: String {
            switch self {
            case .sessions: "too many sessions"
            case .sessionsPerAddress: "too many sessions from its address"
            case .untrustedProxy: "its address is not a trusted proxy's"
            case .connectionsWithoutHeader: "too many connections without a PROXY header"
            case .proxyHeader(let fault): "\(fault)"
            case .lateProxyHeader: "the PROXY header did not come in time"
            case .endedBeforeProxyHeader(nil): "it ended before its PROXY header"
            case .endedBeforeProxyHeader(let error?): "before its PROXY header: \(error)"
            case .stoppedBeforeProxyHeader: "the server stopped before its PROXY header"
            case .serverStopped: "the server stopped before it was handed over"
            }
        }
    }

    /// The event in words.
    public var description: String {
        switch self {
        case .listening(let address): "listening on \(address)"
        case .stoppedListening(let address): "stopped listening on \(address)"
        case .drained(let address, let report): "drained \(address): \(report)"
        case .accepted(let session, let peer): "session \(session): accepted \(Self.name(peer))"
        case .refused(let peer, let refusal): "refused \(Self.name(peer)): \(refusal)"
        case .acceptFailed(let address, let error): "\(address): \(error)"
        case .outOfDescriptors(let address, let error): "\(address): accepting rests: \(error)"
        case .acceptingPaced(let address):
            "\(address): accepting rests: more connections a second than allowed"
        case .connected(let session, let peer):
            "session \(session): connected to \(Self.name(peer))"
        case .closed(let session, let peer, let reason, let traffic):
            "session \(session): \(Self.name(peer)): \(reason); received "
                + "\(traffic.packetsReceived) packets, sent \(traffic.packetsSent)"
        case .supervisorNotTold(let error): "the supervisor could not be told: \(error)"
        case .replyLost(let session, let outcome):
            "session \(session): a reply was lost: \(outcome)"
        case .reconnecting(let target, let delay, let attempt, let failure):
            "\(target): \(failure); attempt \(attempt) in \(delay)"
        case .gaveUp(let target, let failure): "\(target): gave up: \(failure)"
        case .slowHandler(let session?, let time): "session \(session): a handler took \(time)"
        case .slowHandler(nil, let time): "a handler took \(time)"
        case .suppressed(let count): "\(count) events left out"
        }
    }

    /// Whether an operator would want to know: limits met, peers that break the protocol or do not
    /// read, lost connections, slow handlers. What was left out may be anything, mostly none.
    public var isProblem: Bool {
        switch self {
        case .listening, .stoppedListening, .accepted, .connected, .suppressed: false
        case .closed(_, _, let reason, _): reason.cause.isProblem
        // Balancers connect and leave to see whether somebody listens.
        case .refused(_, .endedBeforeProxyHeader(nil)), .refused(_, .stoppedBeforeProxyHeader),
            .refused(_, .serverStopped):
            false
        case .drained(_, let report): report.aborted > 0 || report.unanswered > 0
        case .refused, .acceptFailed, .outOfDescriptors, .acceptingPaced, .replyLost,
            .reconnecting, .gaveUp, .supervisorNotTold, .slowHandler:
            true
        }
    }

    private static func name(_ peer: SocketAddress?) -> String {
        peer.map { "\($0)" } ?? "a peer without an address"
    }

    /// Whether peers can make as many of it as they like.
    var isFloodable: Bool {
        switch self {
        case .accepted, .refused, .acceptFailed, .outOfDescriptors, .acceptingPaced, .connected,
            .closed, .replyLost, .reconnecting, .slowHandler:
            true
        case .listening, .stoppedListening, .drained, .gaveUp, .supervisorNotTold, .suppressed:
            false
        }
    }
}

extension CloseCause {
    /// Whether sessions that end so are a sign of trouble.
    var isProblem: Bool {
        switch self {
        case .requested, .aborted, .peerClosed, .idle, .reactorStopped: false
        case .dead, .unanswered, .protocolFault, .overflow, .deadlineExceeded, .reset, .silent,
            .system:
            true
        }
    }
}
