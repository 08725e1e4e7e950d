// Options of sessions that make no sense, each with what is said of it.
@testable import Tron

extension Misuse {
    static let options = [
        session("large data", "maximumDataLength: 0 to 1 GiB") {
            $0.limits.maximumDataLength = 1 << 30 + 1
        },
        session("no output", "maximumQueuedBytes: 1 byte to 1 GiB") {
            $0.limits.maximumQueuedBytes = 0
        },
        session("high mark above all output", "outputHighWatermark: 0 to maximumQueuedBytes") {
            $0.limits.outputHighWatermark = $0.limits.maximumQueuedBytes + 1
        },
        session("low mark above the high one", "outputLowWatermark: 0 to outputHighWatermark") {
            $0.limits.outputLowWatermark = $0.limits.outputHighWatermark + 1
        },
        session("owed bytes for a task", "maximumBytesBeforeTask: 0 to 1 GiB") {
            $0.limits.maximumBytesBeforeTask = -1
        },
        session("a send buffer of nothing", "sendBuffer: 1 byte to 1 GiB") { $0.sendBuffer = 0 },
        session("too large a send buffer", "sendBuffer: 1 byte to 1 GiB") {
            $0.sendBuffer = 1 << 30 + 1
        },
        session("no owed reply", "maximumOwedReplies: 1 to 2^20") {
            $0.limits.maximumOwedReplies = 0
        },
        session(
            "owed room for replies",
            "reservedReplyLength: not negative, and for maximumOwedReplies at most 512 MiB"
        ) {
            $0.limits.reservedReplyLength = -1
        },
        session(
            "room for too many large replies",
            "reservedReplyLength: not negative, and for maximumOwedReplies at most 512 MiB"
        ) {
            $0.limits.reservedReplyLength = 1 << 20
        },
        session("too many owed replies", "maximumOwedReplies: 1 to 2^20") {
            $0.limits.maximumOwedReplies = 1 << 20 + 1
        },
        session("owed bytes", "maximumDiscardedBytes: not negative") {
            $0.limits.maximumDiscardedBytes = -1
        },
        session("closed before", "closeTimeout: not negative") {
            $0.limits.closeTimeout = .seconds(-1)
        },
        session("half closed before", "halfCloseTimeout: not negative") {
            $0.limits.halfCloseTimeout = .seconds(-1)
        },
        session("dead at once", "deadAfter: at least a second") {
            $0.deadAfter = .milliseconds(999)
        },
        session("no byte to ask with", "heartbeat: maximumDataLength of at least a byte") {
            $0.heartbeat = Heartbeat(category: 1, interval: .seconds(2))
            $0.limits.maximumDataLength = 0
        },
        session("dead before it is asked", "heartbeat.interval: less than deadAfter") {
            $0.deadAfter = .seconds(2)
            $0.heartbeat = Heartbeat(category: 1, interval: .seconds(2))
        },
    ]

    private static func session(
        _ name: String, _ message: String,
        _ change: @escaping @Sendable (inout SessionOptions) -> Void
    ) -> Misuse {
        Misuse("session: " + name, message) {
            var options = SessionOptions()
            change(&options)
            try Reactor().connectOnce(to: .loopback(port: 1), options: options) { _ in }
        }
    }
}
