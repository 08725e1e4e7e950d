// What the documentation of groups promises, and of drains that accept who has connected.

extension PromisedPlace {
    static let groups = [
        PromisedPlace(
            "Sources/Tron/Endpoints/ServerOptions.swift",
            [
                Promise(
                    1300, "accepts until nobody waits any more",
                    by: "DrainWindowTests: a server that drains serves whoever",
                    "DrainWindowTests: as fast as it may",
                    "GroupDrainTests: the deadline ends what a drain", ".ci/group"),
                Promise(
                    1301, "a server stops listening at once, and the kernel resets",
                    by: "ServerEndTests: stop takes effect in its very turn",
                    "ReactorServersTests: a drain of the reactor sums"),
                Promise(
                    1302, "Of a Unix socket, whose connections have no handshake",
                    by: "GroupDrainTests: a Unix socket that drains refuses", ".ci/group"),
                Promise(
                    1303, "An inherited listener is closed at once",
                    by: "DrainWindowTests: an inherited listener is neither"),
            ]),
        PromisedPlace(
            "Sources/Tron/Loop/ReactorLocal.swift",
            [
                Promise(
                    1304, "It can be captured by closures", "A reactor keeps its value until",
                    "nil until it is set, and after",
                    by: "ReactorLocalTests: each reactor has its own value",
                    "GroupTests: what each reactor has for itself")
            ]),
        PromisedPlace(
            "Sources/Tron/Service/GroupCalls.swift",
            [
                Promise(
                    1305, "From any thread.", by: "GroupTests: a session is reached by its name",
                    "GroupTests: a request is answered, or refused"),
                Promise(
                    1306, "Has `work` run on every reactor's loop",
                    by: "GroupTests: what each reactor has for itself"),
                Promise(
                    1307, "Sends a packet through every session",
                    by: "GroupTests: a broadcast reaches every session"),
            ]),
        PromisedPlace(
            "Sources/Tron/Service/GroupListening.swift",
            [
                Promise(
                    1308, "From any thread.", "`setup` is called once for every accepted",
                    by: "GroupTests: sessions are spread over the threads"),
                Promise(
                    1309, "from any thread.", "connections wait in the kernel, until",
                    by: "GroupBeginTests: port zero is resolved once",
                    "GroupEndTests: a setup that throws stops"),
                Promise(
                    1310, "also by another program of the same user",
                    by: "GroupBeginTests: a port that another program has"),
                Promise(
                    1311, "has no memory for it; the socket is closed",
                    by: "GroupListeningTests: a socket that the kernel refuses"),
            ]),
        PromisedPlace(
            "Sources/Tron/Service/GroupSnapshotTaking.swift",
            [
                Promise(
                    1312, "waits for every reactor that runs",
                    by: "GroupTests: the numbers of the reactors add up"),
                Promise(
                    1313, "`completion` is called on its loop", "Default 1 s",
                    by: "GroupTests: a reactor can ask for the numbers"),
            ]),
        PromisedPlace(
            "Sources/Tron/Service/ReactorCount.swift",
            [
                Promise(
                    1314, "One for each processor that the calling thread",
                    by: "GroupBeginTests: as many reactors as processors")
            ]),
        PromisedPlace(
            "Sources/Tron/Service/ReactorGroup.swift",
            [
                Promise(
                    1356, "Each runs until the drains of all have ended",
                    by: "GroupTogetherTests: a reactor that has drained makes",
                    "GroupTogetherTests: one that does not turn any more"),
                Promise(
                    1315, "A group that does nothing yet", "A group runs once",
                    by: "GroupBeginTests: a group that never runs",
                    "MisuseTests: misuse ends the process and"),
                Promise(
                    1316, "Default `.cores`", "Default 8 s, as of", "Default none",
                    "Default false: a scheduler", by: "DefaultsTests: a group has a reactor"),
                Promise(
                    1317, "on its thread before it runs",
                    by: "GroupTests: what each reactor has for itself",
                    "GroupEndTests: a setup that throws stops"),
                Promise(
                    1318, "what comes second of the two",
                    "the first time by a drain of all reactors",
                    by: "GroupDrainTests: a second request stops",
                    "GroupEndTests: shutDown from a handler"),
                Promise(
                    1319, "The others are stopped then",
                    by: "GroupEndTests: what a reactor throws",
                    "GroupEndTests: a setup that throws",
                    "GroupEndTests: threads that cannot be had"),
                Promise(
                    1320, "Before the run, or while it is being set up", "From any thread.",
                    by: "GroupEndTests: what is shut down before",
                    "GroupEndTests: one that is shut down while it begins",
                    "GroupEndTests: shutDown from a handler"),
                Promise(
                    1321, "The reactors that are set up", "Whether every reactor runs",
                    by: "GroupEndTests: a setup that throws", "GroupDrainTests: a notice lets all"),
                Promise(
                    1322, "To be called before `run()`",
                    by: "GroupSupervisorTests: a group is ready when all are",
                    "GroupSupervisorTests: the watchdog hears nothing"),
            ]),
        PromisedPlace(
            "README.md",
            [
                Promise(
                    1323, "so that 17 clients on 3 reactors differ",
                    by: "GroupBalanceTests: seventeen clients"),
                Promise(
                    1324, "Nobody is accepted before every reactor",
                    by: "GroupEndTests: a setup that throws"),
            ]),
    ]
}
