// What the documentation of servers, drains, services and of watching them promises.

extension PromisedPlace {
    static let servers = [
        PromisedPlace(
            "Sources/Tron/Endpoints/Drain.swift",
            [
                Promise(
                    751, "Sessions that ended by themselves or by `close()`",
                    by: "DrainReportTests: who ends by itself in the deadline's own turn",
                    "DrainReportTests: who ends for a reason of its own"),
                Promise(
                    752, "Sessions that were aborted: at the deadline",
                    by: "DrainReportTests: who is aborted before the deadline",
                    "DrainReportTests: the reactor's stop ends every drain"),
                Promise(
                    753, "Replies that these sessions owed",
                    "unless the reply does not come within",
                    by: "DrainDebtTests: replies that never come",
                    "DrainDebtTests: who ends by itself while it owes",
                    "DrainDebtTests: a session that owes is closed with its last"),
                Promise(
                    754, "tells each session (",
                    by: "ServerEndTests: at its deadline a drain aborts",
                    "ServerEndTests: a drain closes the sessions spread",
                    "DrainHandlerTests: the handler may do anything",
                    simulation: "a drain was completed twice"),
                Promise(
                    755, "what no handler has seen yet is not delivered",
                    by: "DrainDebtTests: what no handler has seen",
                    simulation: "was drained"),
                Promise(
                    756, "Clients and timers of the reactor go on",
                    by: "DrainDebtTests: a client that answers need"),
                Promise(
                    757, "`spread`, at most the deadline", "The first are told in the turn",
                    by: "ServerEndTests: a drain closes the sessions spread",
                    "DrainHandlerTests: a spread tells sessions"),
                Promise(
                    758, "Drains may overlap", by: "DrainReportTests: drains that overlap each",
                    "DrainDebtTests: overlapping drains wait"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/EndpointCounters.swift",
            [
                Promise(
                    759, "Connections closed at once",
                    by: "ServerLimitTests: a burst opens as many sessions"),
                Promise(
                    1325, "when the server had stopped listening: closed at once",
                    by: "GroupBalanceTests: what was sent before the server stopped"),
                Promise(
                    760, "How often accepting was suspended",
                    by: "ServerExhaustionTests: without descriptors accepting",
                    "RefusedCallTests: a listener whose accepts all fail"),
                Promise(
                    761, "Every request that was asked for", "How often it tried anew",
                    by: "SnapshotTests: a client's requests each count once"),
                Promise(
                    762, "Answers to requests that had ended",
                    by: "ClientRequestTests: a late answer"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/EventReporter.swift",
            [
                Promise(
                    763, "Calls `handler` with what happens from now on",
                    by: "ReactorEventTests: an event comes after what caused it",
                    "ReactorEventTests: a session's way shows"),
                Promise(
                    764, "First it is told `.listening`",
                    by: "ReactorEventTests: a handler that comes after the servers"),
                Promise(
                    765, "It replaces an earlier handler",
                    by: "ReleasedHandlerTests: of event handlers one is told"),
                Promise(
                    766, "Of the events that peers can cause",
                    by: "ReactorEventTests: a flood is cut off",
                    "ReactorEventTests: what was suppressed is told"),
                Promise(
                    767, "Handlers of what is ready or due",
                    by: "ReactorEventTests: a slow handler is told"),
                Promise(
                    768, "While nobody listens, nothing is built",
                    by: "ReactorEventTests: while nobody listens"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/Listening.swift",
            [
                Promise(
                    769, "is called once for every accepted connection",
                    by: "ServerLimitTests: a burst of connections",
                    "SnapshotTests: counters of sessions, server"),
                Promise(
                    770, "when the text is no address",
                    by: "ServerAddressTests: a text that is no address",
                    "ServerAddressTests: a taken port is an error"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/Meter.swift",
            [
                Promise(
                    771, "the loop times every call", "it measures until it is released",
                    by: "MeterTests: handlers are timed only"),
                Promise(
                    772, "What has been done up to", "Ends the interval, begins the next",
                    by: "MeterTests: the busiest sessions come first",
                    "MeterTests: the slowest session is told"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ReactorEvent.swift",
            [
                Promise(
                    773, "closed a connection that was no session yet",
                    "was closed before it was a session",
                    by: "ReactorEventTests: refusals, faults, failed accepts"),
                Promise(
                    774, "a server accepts nothing until one is",
                    by: "ServerExhaustionTests: without descriptors accepting",
                    "ServerExhaustionTests: the close of a session makes room",
                    "StarvedServerTests: a descriptor that comes back",
                    simulation: "a listener has ignored its backlog"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ReactorDrain.swift",
            [
                Promise(
                    775, "is called on the loop, once",
                    by: "ReactorServersTests: a drain of the reactor sums"),
                Promise(
                    1346, "Between the two comes the farewell",
                    by: "FarewellTests: what a session's goodbye has sent",
                    "FarewellTests: it has its time and no more",
                    "FarewellTests: a reply that a client's session owes",
                    "FarewellTests: a peer that never ends"),
                Promise(
                    1352, "Whatever begins to listen, or to connect",
                    by: "FarewellTests: a server that begins to listen",
                    "FarewellTests: what begins while the rest ends"),
                Promise(
                    1353, "Drains may overlap: there is one farewell",
                    by: "FarewellTests: overlapping drains have one"),
                Promise(
                    1347, "`stop()` ends any of it at once",
                    by: "FarewellTests: a stop needs no last word",
                    "FarewellTests: a stop ends the last word",
                    "ReadinessTests: a stop during the notice"),
                Promise(
                    810, "is how long the servers still accept and serve",
                    by: "ReadinessTests: during the notice servers accept"),
                Promise(
                    1348, "The reactor goes on with its end once",
                    by: "FarewellTests: the program's last word",
                    "FarewellTaskTests: a farewell may finish on another",
                    "FarewellTests: it has its time and no more"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ReactorServers.swift",
            [
                Promise(
                    776, "Queues a packet for every session",
                    by: "ReactorServersTests: a broadcast reaches every")
            ]),
        PromisedPlace(
            "Sources/Tron/Service/ReactorService.swift",
            [
                Promise(
                    777, "before it runs.", by: "ReactorServiceTests: cancelling the task stops",
                    "ReactorServiceDrainTests: what is shut down before"),
                Promise(
                    778, "Default 8 s, less than", by: "DefaultsTests: a service drains"),
                Promise(
                    779, "May be called again after",
                    by: "ReactorServiceTests: a service whose reactor stops"),
                Promise(
                    780, "When its task is cancelled",
                    by: "ReactorServiceDrainTests: a run ends by",
                    "ReactorServiceDrainTests: the deadline ends a run"),
                Promise(
                    781, "what comes second of the two",
                    "the first time by a drain, the second time", "From any thread, and",
                    by: "ReactorServiceDrainTests: a second request stops",
                    "ReactorServiceDrainTests: what is shut down before"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/RemoteCalls.swift",
            [
                Promise(
                    782, "nothing happens if it has ended",
                    by: "ReactorServersTests: what is sent to a session that has ended"),
                Promise(
                    783, "Sends a packet through every session", "From any thread.",
                    by: "RemoteCallsTests: packets are sent to one session"),
                Promise(
                    784, "from any thread.", by: "RemoteCallsTests: replies are given and refused"),
                Promise(
                    785, "It is never refused because too much waits",
                    by: "ReactorServersTests: a full queue refuses packets"),
                Promise(
                    786, "is lost, since nobody would give another",
                    by: "ReplyRoomTests: a reply from elsewhere"),
                Promise(
                    787, "nil once it has stopped",
                    by: "RemoteCallsTests: after the stop each call"),
                Promise(
                    788, "one that is cancelled waits", "cancelling it changes nothing",
                    by: "RemoteCallsTests: a task that is cancelled is told",
                    "RemoteCallsTests: a stop ends a drain at once"),
                Promise(
                    789, "Returns when they are drained",
                    by: "RemoteCallsTests: a drain of all servers waits"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/Server.swift",
            [
                Promise(
                    790, "The reactor keeps it until", by: "SessionFramesTests: both ends may speak"
                ),
                Promise(
                    791, "Stops listening in this very turn",
                    by: "ServerEndTests: stop takes effect in its very turn"),
                Promise(
                    792, "The file of a Unix socket is removed",
                    by: "SocketFileTests: a server that ends takes its own",
                    "SocketFileTests: a server that ends leaves what others"),
                Promise(
                    793, "All descriptors are close-on-exec",
                    by: "InheritanceTests: every descriptor is closed by exec"),
                Promise(
                    794, "keeps the address taken",
                    by: "InheritanceTests: a child of fork keeps an address"),
                Promise(
                    795, "those that come meanwhile are not visited",
                    by: "ServerSessionsTests: the body may do anything"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ServerLimits.swift",
            [
                Promise(
                    796, "further connections are accepted and closed at once",
                    "Sessions at the same time from one host",
                    by: "ServerLimitTests: a burst opens as many sessions",
                    "ServerLimitTests: above the limit connections"),
                Promise(
                    797, "Connections a server accepts a turn",
                    by: "ServerLimitTests: a burst of connections"),
                Promise(
                    798, "Default 100,000", "Nil, the default", "Default 4,096", "Default 64",
                    by: "DefaultsTests: a server's and a client's options"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ServerOptions.swift",
            [
                Promise(
                    799, "the kernel spreads the connections",
                    by: "ServerAddressTests: with reusesPort two reactors"),
                Promise(
                    800, "Default false.", by: "DefaultsTests: a server's and a client's options"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/Snapshot.swift",
            [
                Promise(
                    801, "Its sums are exact", by: "SnapshotTests: counters of sessions, server",
                    "SnapshotEndsTests: the sums are those of all"),
                Promise(
                    802, "What is told of now",
                    by: "CounterTests: every number of a snapshot is told",
                    "CounterTests: of sessions the sums subtract"),
            ]),
    ]
}
