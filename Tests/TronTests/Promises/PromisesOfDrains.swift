// What the documentation of drains promises, and of services, which end by them.

extension PromisedPlace {
    static let drains = [
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
    ]
}
