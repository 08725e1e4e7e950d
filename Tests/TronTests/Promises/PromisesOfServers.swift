// What the documentation of servers and of watching them promises.

extension PromisedPlace {
    static let servers = [
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
            "Sources/Tron/Endpoints/ReactorServers.swift",
            [
                Promise(
                    776, "Queues a packet for every session",
                    by: "ReactorServersTests: a broadcast reaches every")
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
