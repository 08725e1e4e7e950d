// Why a session ended, with the details.

/// Why a session ended. Reported exactly once, to the session's close handler; and thrown to a task
/// that waits for the session's packets.
///
/// Where queued output is dropped, a TCP peer sees a reset (RST), by which the kernel drops what it
/// has not delivered, too: an end of stream would tell the peer that it has everything. A Unix
/// socket has no such sign.
public enum CloseReason: Error, Hashable, Sendable, CustomStringConvertible {
    /// `close()`: everything that was queued has left.
    case requested
    /// `abort()`, or the server was stopped that way: queued output was dropped.
    case aborted
    /// The peer ended the stream between two packets or frames. What was queued has been sent.
    case peerClosed
    /// No bytes moved for as long as the options allow. What was queued is dropped.
    case idle(IdleKind)
    /// The peer gave no sign of life for as long as `SessionOptions.deadAfter` allows. What was
    /// queued is dropped.
    case dead
    /// So many requests in a row had no answer in time (`ClientOptions.timeoutsBeforeReconnect`):
    /// the client gave the connection up. What was queued is dropped.
    case unanswered(requests: Int)
    /// The peer does not speak the protocol. Packets before the fault were delivered, and what was
    /// queued has been sent.
    case protocolFault(ProtocolFault)
    /// The peer does not read: this many bytes would have waited, more than the limit. What was
    /// queued is dropped.
    case overflow(bytes: Int)
    /// A step took longer than its limit. What was queued is dropped.
    case deadlineExceeded(Deadline)
    /// The reactor stopped. What was queued is dropped.
    case reactorStopped
    /// The kernel refused a call: with ECONNRESET the peer is gone, with ETIMEDOUT it is silent.
    /// What was queued is dropped.
    case system(SystemError)

    /// The steps of a session that have a time limit.
    public enum Deadline: Hashable, Sendable {
        /// `SessionLimits.packetTimeout`: a packet or a frame began and did not end.
        case packet
        /// `SessionLimits.closeTimeout`: queued output could not be sent; it is lost.
        case close
        /// `SessionLimits.halfCloseTimeout`: the session outlived its peer's end of stream.
        case halfClose
    }

    /// What it counts as.
    public var cause: CloseCause {
        switch self {
        case .requested: .requested
        case .aborted: .aborted
        case .peerClosed: .peerClosed
        case .idle: .idle
        case .dead: .dead
        case .unanswered: .unanswered
        case .protocolFault: .protocolFault
        case .overflow: .overflow
        case .deadlineExceeded: .deadlineExceeded
        case .reactorStopped: .reactorStopped
        case .system(let error) where error.isReset: .reset
        case .system(let error) where error.isSilence: .silent
        case .system: .system
        }
    }

    /// The reason in words.
    public var description: String {
        switch self {
        case .requested: "closed as requested"
        case .aborted: "aborted"
        case .peerClosed: "closed by the peer"
        case .idle(.read): "nothing received for too long"
        case .idle(.write): "nothing sent for too long"
        case .idle(.either): "no bytes moved for too long"
        case .dead: "the peer shows no sign of life"
        case .unanswered(1): "unanswered: a request had no answer in time"
        case .unanswered(let count): "unanswered: \(count) requests in a row had no answer in time"
        case .protocolFault(let fault): "protocol fault: \(fault)"
        case .overflow(let bytes): "\(bytes) bytes waited to be sent, more than allowed"
        case .deadlineExceeded(.packet): "a packet did not end in time"
        case .deadlineExceeded(.close): "queued output could not be sent in time"
        case .deadlineExceeded(.halfClose): "half-closed for too long"
        case .reactorStopped: "the reactor stopped"
        case .system(let error): error.description
        }
    }
}

/// In which direction no bytes moved.
public enum IdleKind: Hashable, Sendable {
    /// Nothing was received.
    case read
    /// Nothing was sent.
    case write
    /// Neither.
    case either
}
