// What the documentation of a session's limits and options promises.

extension PromisedPlace {
    static let sessionLimits = [
        PromisedPlace(
            "Sources/Tron/Sessions/SessionLimits.swift",
            [
                Promise(
                    651, "Default 512 KiB", "Default 128 KiB", "Default 3 MiB", "Default 1,024",
                    "Default 1,000, in all", "Default 60 s", "Default 10 s", "Default 64 MiB",
                    "Default 8 KiB", by: "DefaultsTests: a session's limits"),
                Promise(
                    652, "Default 1 MiB; at most 1 GiB", "At least 1.", "together at most 512 MiB",

                    by: "DefaultsTests: a session's limits", "MisuseTests: misuse ends"),
                Promise(
                    653, "so that an echo never meets it",
                    by: "FastReaderTests: an echo whose peer reads"),
                Promise(
                    654, "above which the session stops reading",
                    "at or below which it reads again",
                    by: "SessionBackPressureTests: a reader that stops for a while"),
                Promise(
                    655, "that is not exceeded but by replies",
                    by: "OfferedOutputTests: only what the kernel did not take",
                    "ReplyRoomTests: all that is owed has room"),
                Promise(
                    656, "Replies that may be owed at the same time",
                    by: "OwedReplyLimitTests: at the limit reading pauses"),
                Promise(
                    657, "Bytes of data in an owed reply that always has room",
                    "A larger reply counts as any packet",
                    by: "ReplyRoomTests: all that is owed has room",
                    "ReplyRoomTests: a larger reply counts",
                    "ReplyRoomTests: who asks and does not read"),
                Promise(
                    658, "Time from the first byte of a packet",
                    "A peer that sends a byte a second",
                    by: "SessionTimerTests: a peer that sends a byte a second",
                    "SessionTimerTests: the packet's clock starts anew"),
                Promise(
                    659, "Time that `close()` waits",
                    by: "SessionTimerTests: a close whose output does not leave",
                    "SessionTimerTests: a peer that does not end its stream"),
                Promise(
                    660, "reads and discards while it waits",
                    by: "SessionCloseTests: a closing session discards"),
                Promise(
                    661, "Time that a half-closed session may live on",
                    by: "SessionHalfCloseTests: a half-closed session ends"),
                Promise(
                    662, "Bytes of received packets that wait", "0: a single packet waits",
                    by: "SessionTaskTests: what waits for the task is bounded"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionOptions.swift",
            [
                Promise(
                    663, "nil for never, the default", "Default true", "Default false",
                    "Nil, the default", "Default: after 5 s",
                    by: "DefaultsTests: a session's options"),
                Promise(
                    664, "Whether a session stops reading while more output waits",
                    by: "SessionBackPressureTests: a peer that never reads",
                    "SessionBackPressureTests: without the pause"),
                Promise(
                    665, "Whether a session goes on sending after", "what is owed is given, within",
                    by: "SessionHalfCloseTests: a peer that shut its writing side",
                    "SessionHalfCloseTests: a half-closed session ends",
                    "ReplyRoomTests: who has ended its stream still gets",
                    "SessionLifeTests: the peer's end between packets"),
                Promise(
                    666, "TCP_NODELAY: small packets leave at once", "a turn's output is one write",
                    by: "TransportOptionTests: by default small packets",
                    "TransportOptionTests: each option is what",
                    "SessionSendTests: a turn's packets leave in one"),
                Promise(
                    667, "SO_KEEPALIVE and its times", "TCP_USER_TIMEOUT", "about 15 minutes",
                    by: "TransportOptionTests: by default small packets",
                    "TransportOptionTests: each option is what"),
                Promise(
                    668, "SO_SNDBUF", "the kernel lets the buffer grow",
                    by: "TransportOptionTests: the send buffer has the size"),
                Promise(
                    669, "At least 1, at most 1 GiB", "At least a second.",
                    by: "MisuseTests: misuse ends the process"),
                Promise(
                    670, "A peer that gives no sign of life",
                    "Signs of life are bytes received",
                    by: "SessionHeartbeatTests: a peer that answers no heartbeat",
                    "SessionHeartbeatTests: dead within a time sets keepalive",
                    "LivenessTests: a peer that takes output slowly",
                    "ZeroWindowTests: a peer that does not read",
                    "SendProgressTests: bytes that are acknowledged",
                    simulation: "its peer gave a sign"),
                Promise(
                    671, "ends within twice this time",
                    by: "SendProgressTests: segments that nobody acknowledges",
                    "SendProgressTests: two probes of a closed window",
                    "VanishedPeerTests: a vanished peer for which output"),
                Promise(
                    672, "Packets that ask the peer for a sign of life",
                    "They notice also a peer whose kernel lives",
                    by: "SessionHeartbeatTests: a session that hears nothing",
                    "ZeroWindowTests: a peer that has read everything"),
                Promise(
                    673, "With two ends that both stop reading", "they read also while",
                    by: "BothEndsTests: two ends that both stop"),
                Promise(
                    674, "one byte of data, 0 to ask and 1 to answer",
                    "Both ends have to know the category", "Whether this end answers",
                    by: "SessionHeartbeatTests: an end that does not answer asks",
                    "SessionHeartbeatTests: a heartbeat is answered",
                    "SessionHeartbeatTests: of the category what has another size"),
                Promise(
                    675, "it sends none and knows none",
                    by: "SessionFramesTests: no heartbeat is sent into"),
                Promise(
                    676, "Neither ever makes a session overflow",
                    "A question that was not sent makes nobody dead",
                    "the peer then hears the output that waits",
                    by: "SessionHeartbeatTests: an answer that does not fit",
                    "SessionHeartbeatTests: a question that does not fit"),
                Promise(
                    1341, "However long a question was under way",
                    by: "LivenessTests: a question that arrives late",
                    simulation: "its question had just arrived"),
                Promise(
                    677, "How long nothing is heard before", "Traps when the interval",
                    by: "SessionHeartbeatTests: a session that hears nothing",
                    "MisuseTests: misuse ends the process"),
                Promise(
                    678, "After how long without moving bytes", "Nothing received for this long",
                    "Nothing sent for this long", by: "SessionLifeTests: silence ends with idle",
                    "SessionTimerTests: a large packet that arrives slowly",
                    simulation: "bytes moved less than that ago"),
                Promise(
                    679, "Time during which the session itself does not read",
                    by: "SessionPauseTests: while paused neither silence"),
                Promise(
                    680, "Nil is never.", by: "DeadlineRuleTests: without any limit nothing"),
                Promise(
                    681, "The session is aborted, with", "The packet is refused, and the session",
                    by: "SessionLifeTests: more output than may wait",
                    "SessionSendTests: with the refusing policy"),
            ]),
    ]
}
