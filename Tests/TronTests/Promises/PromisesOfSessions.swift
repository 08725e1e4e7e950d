// What the documentation of sessions promises: how they live, end and hand over what they receive.

extension PromisedPlace {
    static let sessions = [
        PromisedPlace(
            "Sources/Tron/Sessions/CloseCause.swift",
            [
                Promise(
                    501, "Why sessions end", "The name in small letters",
                    by: "CloseCauseTests: a session ends by each cause",
                    "CloseCauseTests: causes have names of their own")
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/CloseReason.swift",
            [
                Promise(
                    502, "Reported exactly once", by: "SessionLifeTests: who asks for the end",
                    "CloseCauseTests: a session ends by each cause",
                    "SessionTaskEndTests: an abort is thrown", simulation: "was reported twice"),
                Promise(
                    1355, "a TCP peer sees a reset",
                    by: "UnsentOutputTests: a peer of which output was dropped",
                    "UnsentOutputTests: a peer that was sent everything"),
                Promise(
                    503, "everything that was queued has left", "What was queued has been sent",
                    by: "LostOutputTests: what is queued is lost only",
                    "SessionCloseTests: ten thousand graceful closes",
                    simulation: "packets that it took were not sent"),
                Promise(
                    504, "queued output was dropped", "What was queued is dropped",
                    by: "LostOutputTests: what is queued is lost only",
                    "DocumentationTests: a reason that drops"),
                Promise(
                    505, "Packets before the fault were delivered",
                    by: "SessionLifeTests: a wrong trailer",
                    "LostOutputTests: what is queued is lost only"),
                Promise(
                    506, "Nothing was received.", "Nothing was sent.",
                    by: "SessionLifeTests: silence ends with idle"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/Session.swift",
            [
                Promise(
                    507, "A session that is kept after its end", "nil once the session has ended",
                    by: "SessionLifeTests: a closed session answers",
                    simulation: "a closed session has an address"),
                Promise(
                    508, "Handlers may do anything to any session",
                    by: "SessionReentrancyTests: a session aborted by another's",
                    "SessionReentrancyTests: a handler that stops its server"),
                Promise(
                    509, "Whether packets are taken for sending",
                    by: "SessionCloseTests: whatever is sent on a session",
                    "SessionHalfCloseTests: closeWriting ends this end's"),
                Promise(
                    510, "In one turn no more than a high watermark's worth",
                    by: "FastReaderTests: a fast reader gets a high mark's worth",
                    "FastReaderTests: within a turn a high mark's worth"),
                Promise(
                    511, "When it answered false",
                    by: "WritabilityTests: whoever was answered false is",
                    "WritabilityTests: whoever was answered false while",
                    simulation: "sleeps over an owed"),
                Promise(
                    512, "Bytes that wait to be sent, at most",
                    by: "ReplyRoomTests: all that is owed has room",
                    "SessionBackPressureTests: without the pause", simulation: "has queued"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionHandlers.swift",
            [
                Promise(
                    1357, "or because it owes a reply",
                    by: "OwedReplyTests: who is owed a reply and ends its stream"),
                Promise(
                    513, "Calls `handler` for every packet, in order",
                    by: "SessionPacketTests: packets are handled and answered",
                    "SessionPacketTests: a packet that arrives in two reads"),
                Promise(
                    514, "from the next packet on",
                    by: "SessionReentrancyTests: a handler replaced within a batch",
                    "FrameHandlerTests: a handler that is replaced between"),
                Promise(
                    515, "It is called again at once while it consumes",
                    by: "SessionBytesTests: the handler is called on"),
                Promise(
                    516, "One that installs another handler and consumes nothing",
                    by: "BytesHandlerReplacementTests: a replacement that consumed nothing"),
                Promise(
                    517, "When it leaves more than", by: "SessionBytesTests: more unconsumed bytes",
                    "BytesHandlerFaultTests: a handler that consumes what is not there"),
                Promise(
                    518, "but no more are read until they are fewer",
                    by: "KeptBytesTests: handlers that give way",
                    "KeptBytesTests: a handler that is resumed again", simulation: "keeps"),
                Promise(
                    519, "calls `handler` for every frame",
                    by: "SessionFramesTests: random frames in random reads",
                    "FrameHandlerTests: a switch from lines to packets"),
                Promise(
                    520, "All that holds for packets holds for frames",
                    by: "SessionFramesTests: frames are counted",
                    "SessionFramesTests: an incomplete frame has the time",
                    "SessionFramesTests: a stream that ends within a frame",
                    "ClientProofTests: a connection that brought something"),
                Promise(
                    521, "One whose longest frame has no bytes",
                    by: "MisuseTests: misuse ends the process"
                ),
                Promise(
                    522, "when what came breaks the protocol", "Nothing is delivered any more.",
                    by: "ProtocolFaultTests: the handler may say so"),
                Promise(
                    523, "when the session has ended, with the reason",
                    "No other handler is called after it",
                    by: "SessionLifeTests: who asks for the end",
                    "SessionLifeTests: handlers are dropped at the end",
                    simulation: "was called after its close"),
                Promise(
                    524, "when a turn ends with more output waiting", "It is never called within",
                    by: "SessionBackPressureTests: a reader that stops for a while",
                    "FastReaderTests: within a turn a high mark's worth",
                    "WritabilityTests: whoever was answered false while",
                    simulation: "though it knew"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionID.swift",
            [
                Promise(
                    525, "an id is never given to another one", "nil once it has ended",
                    by: "ReactorServersTests: a session's name never names",
                    "SessionReentrancyTests: no event of a closed session",
                    simulation: "a session that is closed was found")
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionLife.swift",
            [
                Promise(
                    526, "Ends the session without losing what is queued",
                    by: "SessionCloseTests: ten thousand graceful closes",
                    "SessionCloseTests: a closing session discards",
                    "SessionTimerTests: a peer that does not end its stream",
                    simulation: "while session \\(id) closes"),
                Promise(
                    527, "Ends the session at once",
                    by: "SessionLifeTests: abort drops what is queued"
                ),
                Promise(
                    528, "Ends this end's stream after what is queued",
                    by: "SessionHalfCloseTests: closeWriting ends this end's",
                    "LostOutputTests: what is queued is lost only"),
                Promise(
                    529, "Replies that are owed cannot be given",
                    by: "OwedReplyTests: when the session can give no reply"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionReading.swift",
            [
                Promise(
                    530, "Idle time for reading and the packet's time limit",
                    by: "SessionPauseTests: while paused neither silence"),
                Promise(
                    531, "before reading has to go on",
                    by: "HangUpTableTests: left alone after its peer's end"),
                Promise(
                    532, "Packets that were kept are delivered in the next turn",
                    by: "SessionPauseTests: a pause within a batch",
                    simulation: "sleeps over a packet it has received"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/Traffic.swift",
            [
                Promise(
                    533, "Numbers that only grow", by: "CounterTests: every number of a set",
                    "SnapshotEndsTests: the sums are those of all"),
                Promise(
                    534, "Heartbeats are not among them",
                    by: "LivenessTests: heartbeats are no packets received",
                    "SessionHeartbeatTests: a session that hears nothing"),
                Promise(
                    535, "Packets that were not queued",
                    by: "SnapshotTests: refused packets count"),
            ]),
    ]
}
