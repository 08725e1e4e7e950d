// What the documentation of clients, their requests and of connecting promises.

extension PromisedPlace {
    static let clients = [
        PromisedPlace(
            "Sources/Tron/Endpoints/Client.swift",
            [
                Promise(
                    701, "The reactor keeps it until",
                    by: "BothEndsTests: two ends that both stop"),
                Promise(
                    702, "may be called elsewhere",
                    by: "MisuseTests: what is called on another thread",
                    "ClientAwaitTests: a task on another thread"),
                Promise(
                    703, "exactly while there is a `session`",
                    by: "ClientStateTests: a client that says it is connected"),
                Promise(
                    704, "Why it last had no connection",
                    by: "ClientStateTests: a request that is lost with its connection",
                    "UnansweredRequestTests: the failure that is told"),
                Promise(
                    705, "Calls `handler` with every new state", "is the last",
                    by: "ClientBackoffTests: waits 3, 6, 12",
                    "ClientStateTests: giving up is the last",
                    simulation: "a client's last state is"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ClientAwaiting.swift",
            [
                Promise(
                    706, "From any task and any thread",
                    by: "ClientAwaitTests: a task on another thread",
                    "ReactorExecutorTests: a task on the executor stays"),
                Promise(
                    707, "Cancelling the task ends the request",
                    by: "ClientAwaitTests: ten thousand cancellations"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ClientConnecting.swift",
            [
                Promise(
                    1350, "Says that this connection works", "nothing else says so",
                    by: "ClientBackoffTests: where the program confirms",
                    "ClientBackoffTests: a confirmed connection has proved itself"),
                Promise(
                    1354, "Nothing where `session` is not the client's",
                    by: "ClientBackoffTests: what is found out late confirms no other connection"),
                Promise(
                    708, "Ends the client: its session is closed",
                    by: "ClientCloseTests: close ends the client in every phase",
                    "ClientCloseTests: close loses nothing",
                    "ClientCloseTests: what a completion asks for"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ClientOptions.swift",
            [
                Promise(
                    709, "Default 10 s.", "Default 1.", "Default `.wait`", "Default 65,536",
                    "Default 1,024", "Default `.reception`",
                    by: "DefaultsTests: a server's and a client's options"),
                Promise(
                    710, "A connection that lasted this long",
                    by: "ClientBackoffTests: the delays begin anew after the stable"),
                Promise(
                    711, "What proves a connection", "only its `proof` proves it",
                    by: "ClientBackoffTests: the delays begin anew after a first packet",
                    "ClientBackoffTests: without a stable period",
                    "ClientProofTests: a connection that brought nothing"),
                Promise(
                    1349, "The program has called `Client.confirm(_:)`",
                    by: "ClientBackoffTests: where the program confirms"),
                Promise(
                    712, "After how many requests in a row",
                    by: "ClientRequestTests: timeouts in a row",
                    "ClientRequestTests: timeouts may be left"),
                Promise(
                    713, "more are refused", "As many requests wait as may",
                    by: "ClientRequestTests: no more requests may be pending"),
                Promise(
                    714, "how many may be kept as a copy",
                    by: "ClientWaitingTests: as many wait as the limit",
                    "ClientWaitingTests: no more copies are kept"),
                Promise(
                    715, "Nil, the default: random",
                    by: "ClientBackoffTests: jitter is drawn from the seed"),
                Promise(
                    716, "It fails at once", by: "ClientWaitingTests: by the policy they fail"),
                Promise(
                    717, "It waits for the next connection",
                    by: "ClientWaitingTests: requests wait for the first",
                    "ClientWaitingTests: a request whose time ends"),
                Promise(
                    718, "follows after the delay", by: "ClientBackoffTests: waits 3, 6, 12"),
                Promise(
                    719, "No answer within the request's time",
                    by: "ClientRequestTests: a request fails at its deadline"),
                Promise(
                    720, "The connection ended before the answer",
                    by: "ClientRequestTests: requests that were sent fail"),
                Promise(
                    721, "The data exceeds", by: "ClientRequestTests: too much data is refused"),
                Promise(
                    722, "More output waits than the session may hold",
                    by: "ClientRequestTests: output that the peer does not read"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ClientRequests.swift",
            [
                Promise(
                    723, "exactly once and never before this returns",
                    by: "ClientMixTests: each request ends exactly once",
                    "ClientRequestTests: too much data is refused",
                    "ClientCloseTests: a stopped reactor ends a client's session",
                    simulation: "got an answer that is not its own"),
                Promise(
                    724, "says that the peer may get the request twice",
                    by: "ClientWaitingTests: a request that may be repeated"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ClientTarget.swift",
            [
                Promise(
                    725, "is called for every new connection",
                    by: "ClientWaitingTests: requests that wait survive"),
                Promise(
                    726, "Whatever is wrong with the address",
                    by: "ClientConnectingTests: an address that is none"),
                Promise(
                    727, "which are tried in turn", by: "ClientConnectingTests: addresses are tried"
                ),
                Promise(
                    1091, "Traps on none",
                    by: "MisuseTests: misuse ends the process"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ConnectionAttempt.swift",
            [
                Promise(
                    728, "Nothing was decided within",
                    by: "ConnectorTests: silence ends with timedOut",
                    simulation: "a connection attempt timed out early"),
                Promise(
                    729, "Connects once, within `timeout`",
                    "The reactor keeps it until it is decided",
                    by: "ConnectorTests: a connection comes with a session",
                    "ConnectorTests: nobody listening is refused",
                    "ConnectorTests: silence ends with timedOut",
                    simulation: "a connection attempt was decided twice"),
                Promise(
                    730, "Gives the attempt up", by: "ConnectorTests: a cancelled attempt is told",
                    "ConnectorTests: an attempt that the stop"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/Endpoints.swift",
            [
                Promise(
                    731, "Clients that connect at the same time",
                    by: "ClientCrowdTests: no more clients dial",
                    "ClientCrowdTests: clients that are closed in the queue"),
                Promise(
                    732, "Default 256", "At least 1.", by: "DefaultsTests: 256 clients dial",
                    "MisuseTests: misuse ends the process"),
            ]),
    ]
}
