// What the kernel knows of bytes that it took and the peer may not have: tcp(7), TCP_INFO.

/// How far a TCP connection's output has come.
package struct SendProgress: Equatable, Sendable {
    /// Bytes that the peer's kernel has acknowledged, since the connection began.
    package var acknowledged: UInt64 = 0
    /// Segments that were sent and are not acknowledged.
    package var segmentsInFlight: UInt32 = 0
    /// Bytes that wait in this kernel, because the peer's window is closed or the path is full.
    package var unsentBytes: UInt32 = 0
    /// Probes of a closed window, sent in a row without an answer.
    package var unansweredProbes: UInt32 = 0
    package var millisecondsSinceAcknowledgement: UInt32 = 0

    package init() {}

    /// Whether anything has not reached the peer's kernel.
    var isOutstanding: Bool { isInFlight || unsentBytes > 0 }

    var isInFlight: Bool { segmentsInFlight > 0 }

    /// In nanoseconds.
    var sinceAcknowledgement: Int64 { Int64(millisecondsSinceAcknowledgement) * 1_000_000 }
}
