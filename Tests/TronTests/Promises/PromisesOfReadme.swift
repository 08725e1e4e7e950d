// What the README promises.

extension PromisedPlace {
    static let readme = [
        PromisedPlace(
            "README.md",
            [
                Promise(
                    1001, "Every bound has a name, every end a typed reason",
                    by: ".ci/counts", "DefaultsTests: a session's limits",
                    "DefaultsTests: a reactor's limits",
                    "CloseCauseTests: a session ends by each cause"),
                Promise(
                    1002, "serves until control-C", "shows once a second, in place",
                    by: "EchoDemoTests: a signal ends serve with 0",
                    "EchoDemoConnectTests: it prints the answer",
                    "EchoDemoUsageTests: help and version",
                    "LiveDisplayTests: each frame takes the place"),
                Promise(
                    1003, "The closure runs once for every connection",
                    by: "ServerLimitTests: a burst of connections"),
                Promise(
                    1004, "the compiler refuses to let it escape",
                    by: "EscapeTests: what is received cannot be kept"),
                Promise(
                    1005, "It waits 3, 6, 12, 24 s", by: "ClientBackoffTests: waits 3, 6, 12",
                    "ClientProofTests: a connection that brought nothing"),
                Promise(
                    1006, "A request ends exactly once", "It is never paired with another's answer",
                    by: "ClientMixTests: each request ends exactly once",
                    "ClientRequestTests: a late answer", simulation: "ended twice"),
                Promise(
                    1007, "A server need not answer at once",
                    by: "OwedReplyTests: a reply is owed until it is given",
                    "RemoteCallsTests: replies are given and refused"),
                Promise(
                    1008, "A drain stops listening, tells each session",
                    by: "ReactorServersTests: a drain of the reactor sums",
                    "DrainHandlerTests: the handler says goodbye",
                    "DrainDebtTests: what no handler has seen",
                    "ServerEndTests: at its deadline a drain aborts"),
                Promise(
                    1351, "Then comes the farewell", "Who has a last word to a broker",
                    by: "FarewellTests: it has its time and no more",
                    "FarewellTests: what a session's goodbye has sent",
                    "ReadmeServiceTests: the broker hears the last word"),
                Promise(
                    1009, "a second one is refused", "is given, or counted in the report",
                    by: "OwedReplyTests: a reply is owed until it is given",
                    "DrainDebtTests: replies that never come"),
                Promise(
                    1010, "gets its answers before its session ends",
                    by: "ReplyRoomTests: who has ended its stream still gets"),
                Promise(
                    1011, "none is refused for want of room",
                    by: "ReplyRoomTests: all that is owed has room"),
                Promise(
                    1012, "Cancelling the task drains it before", "what comes second stops at once",
                    by: "ReactorServiceDrainTests: a run ends by",
                    "ReactorServiceDrainTests: a second request stops"),
                Promise(
                    1013, "it takes a wrapper, by which it learns",
                    "ends it in every way that a group can", by: ".ci/service"),
                Promise(
                    1040, "The supervisor hears `READY=1` once the loop turns",
                    by: "SupervisorTests: a reactor is ready from its first turn",
                    "SupervisorTests: the watchdog hears the loop"),
                Promise(
                    1041, "never bound afresh",
                    by: "ReadmeServiceTests: a program that is to be handed its listener",
                    "InheritedListenersTests: what nobody claims is closed"),
                Promise(
                    1042, "leaves it the time of a probe",
                    by: "ReadinessTests: during the notice servers accept"),
                Promise(
                    1043, "comes first of all in a program", by: ".ci/supervised",
                    "InheritedListenersTests: what is no listening stream socket"),
                Promise(
                    1014, "What breaks the protocol ends the session",
                    by: "ProtocolFaultTests: the handler may say so"),
                Promise(
                    1015, "whoever asks without reading has to wait",
                    by: "SessionBackPressureTests: a peer that never reads"),
                Promise(
                    1016, "What is too short, not UTF-8", "return nil until all has arrived",
                    by: "ByteReaderTests: random reads agree",
                    "ByteReaderTests: a text that is not",
                    "ByteReaderTests: decimal integers agree",
                    "ByteReaderTests: lines end with"),
                Promise(
                    1017, "whole or not at all", "refuse it whole",
                    by: "UnfinishedDraftTests: nothing is sent of a closure",
                    "SessionSendTests: whatever the kernel takes of each",
                    simulation: "sent what it refused"),
                Promise(
                    1018, "and never delays the others",
                    by: "SessionGroupTests: a member that does not read", ".ci/chat"),
                Promise(
                    1020, "While the task takes no packets", "The session is closed when",
                    by: "SessionTaskTests: while nobody takes",
                    "SessionTaskEndTests: a body that returns or throws"),
                Promise(
                    1021, "Misuse traps with a message", by: "MisuseTests: misuse ends the process",
                    "MisuseTableTests: every trap of the library", ".ci/misuse"),
                Promise(
                    1022, "Events, timers, work, output, releases",
                    "A turn's budget for each of them",
                    by: "TurnOrderTests: a turn is events, timers",
                    "TurnOrderTests: a phase with much to do",
                    "ReactorTests: a session that never runs dry"),
                Promise(
                    1023, "The kernel is offered what waits",
                    by: "OfferedOutputTests: a send beyond the limit"),
                Promise(
                    1024, "whoever was answered false is told true, once",
                    by: "WritabilityTests: whoever was answered false is",
                    simulation: "sleeps over an owed"),
                Promise(
                    1025, "A session stops reading above its high watermark", "is the worst case",
                    by: "SessionBackPressureTests: a reader that stops for a while",
                    "ServerMemoryTests: many sessions that are full",
                    "ClientMemoryTests: a thousand clients take", simulation: "the buffers take"),
                Promise(
                    1026, "a peer ends that gives no sign of life",
                    by: "SessionHeartbeatTests: a peer that answers no heartbeat",
                    "ZeroWindowTests: a peer that does not read"),
                Promise(
                    1027, "A handler that a peer's bytes mislead",
                    by: "BytesHandlerFaultTests: a handler that consumes what is not there",
                    "FramingFaultTests: a frame longer than what there is",
                    "ReadmeBytesTests: the server of prices survives"),
                Promise(
                    1028, "is called exactly once, after it nothing is",
                    by: "SessionLifeTests: handlers are dropped at the end",
                    "CloseCauseTests: a session ends by each cause",
                    simulation: "was reported twice"),
                Promise(
                    1029, "loses nothing that was queued",
                    by: "SessionCloseTests: ten thousand graceful closes",
                    "SessionLifeTests: abort drops",
                    "ServerEndTests: at its deadline a drain aborts"),
                Promise(
                    1030, "It closes no session while that owes",
                    by: "DrainDebtTests: a session that owes is closed",
                    "OwedReplyLimitTests: at the limit reading pauses"),
                Promise(
                    1031, "Accepting rests until one is free",
                    by: "ServerExhaustionTests: without descriptors accepting",
                    "HardTimesTests: out of descriptors it sleeps"),
                Promise(
                    1032, "A handler may close, abort or pause any session",
                    by: "SessionReentrancyTests: a session aborted by another's",
                    "SessionReentrancyTests: a session paused by another's",
                    "SessionReentrancyTests: a handler that stops the reactor"),
                Promise(
                    1033, "at most one is answered a millisecond",
                    by: "MetricsLimitTests: one request is answered",
                    "MetricsEndpointTests: the form with a port"),
                Promise(
                    1034, "tells what happens, in order and after the fact",
                    by: "ReactorEventTests: an event comes after what caused it",
                    "ReactorEventTests: a flood is cut off",
                    "ReactorEventTests: a thousand a second are told"),
                Promise(1035, "so a packet pays nothing for them", by: ".ci/counts"),
                Promise(
                    1036, "is refused when the header is there",
                    by: "PacketDecoderTests: too long a packet",
                    "SessionLifeTests: a length above the limit"),
                Promise(
                    1037, "on both sides together, and allocates nothing", by: ".ci/counts"),
                Promise(
                    1045, "executor is simulated",
                    by: "SimulatedWatchTests: work that comes from another thread",
                    "SimulatedServerTests: tasks on the reactor's executor"),
                Promise(
                    1038, "each names only itself and those listed before it",
                    by: "StyleTests: the sources keep every rule",
                    "StyleRuleTests: a name from a higher layer"),
                Promise(
                    1060, "HAProxy sends it nobody any more", "every request that was handled",
                    by: ".ci/restart"),
                Promise(
                    1039, "checks every byte that comes back",
                    by: "LoadTests: one wrong byte fails the load"),
            ])
    ]
}
