// What the documentation of inherited listeners, readiness and the supervisor promises.

extension PromisedPlace {
    static let service = [
        PromisedPlace(
            "Sources/Tron/Endpoints/ServingReadiness.swift",
            [
                Promise(
                    811, "Default false.", "and to false when it is able to",
                    by: "ReadinessTests: ready, unless it prepares itself",
                    "SupervisorTests: a reactor that prepares itself"),
                Promise(
                    812, "Once a drain has begun, setting it changes nothing",
                    by: "ReadinessTests: ready, unless it prepares itself"),
            ]),
        PromisedPlace(
            "Sources/Tron/Service/InheritedListeners.swift",
            [
                Promise(
                    813, "by a socket unit of systemd", "a service that is restarted refuses none",
                    by: ".ci/supervised",
                    "InheritedListenersTests: the variables name descriptors",
                    "InheritedListenersTests: a claimed listener serves"),
                Promise(
                    814, "May be used on any thread.",
                    by: "InheritedListenersTests: what nobody claims is closed"),
                Promise(
                    815, "To be called once, first of all in a program",
                    by: "InheritedListenersTests: what is no listening stream socket",
                    ".ci/supervised"),
            ]),
        PromisedPlace(
            "Sources/Tron/Service/ListeningInherited.swift",
            [
                Promise(
                    816, "the socket is closed then", by: "InheritedListenersTests: when the kernel"
                )
            ]),
        PromisedPlace(
            "Sources/Tron/Service/SupervisedReactor.swift",
            [
                Promise(
                    817, "is sent in the first turn in which",
                    by: "SupervisorTests: a reactor is ready from its first turn",
                    "SupervisorTests: a reactor that prepares itself"),
                Promise(
                    818, "is sent twice within its time",
                    by: "SupervisorTests: the watchdog hears the loop", ".ci/supervised"),
                Promise(
                    819, "once is enough",
                    by: "SupervisorTests: a reactor is ready from its first turn"),
            ]),
        PromisedPlace(
            "Sources/Tron/Service/Supervisor.swift",
            [
                Promise(
                    820, "May be used on any thread; no call blocks",
                    by: "SupervisorTests: a supervisor that does not read"),
                Promise(
                    821, "The time within which it has to hear",
                    by: "SupervisorTests: the watchdog counts"),
                Promise(
                    822, "which the supervisor is asked to grant",
                    by: "SupervisorTests: each message is one datagram"),
            ]),
    ]
}
