// What the documentation of addresses, signals and sockets promises, and what holds everywhere.

extension PromisedPlace {
    static let general = [
        PromisedPlace(
            everywhere,
            [
                Promise(
                    1, "On the loop's thread, or before it runs.",
                    by: "MisuseTests: what is called on another thread",
                    "MisuseTableTests: every call that belongs to the loop has its row",
                    "UptimeTests: a snapshot is taken at the uptime"),
                Promise(
                    2, "On the loop's thread; once is enough.",
                    by: "MisuseTests: what is called on another thread",
                    "ServerEndTests: stop takes effect in its very turn",
                    "SessionLifeTests: close ends with requested once the peer"),
            ])
    ]

    static let system = [
        PromisedPlace(
            "Sources/Tron/System/AddressError.swift",
            [
                Promise(
                    101, "The zone after `%`", "There is no path after `unix:`",
                    by: "SocketAddressTests: a refused text comes back")
            ]),
        PromisedPlace(
            "Sources/Tron/System/Signal.swift",
            [Promise(102, "Traps on a number", by: "MisuseTests: misuse ends the process")]),
        PromisedPlace(
            "Sources/Tron/System/Socket.swift",
            [
                Promise(
                    103, "How TCP looks for a dead peer", "Silence before the first probe",
                    "Time between probes", by: "TransportOptionTests: each option is what",
                    "TransportOptionTests: fractions of a second",
                    "MisuseTests: misuse ends the process"),
                Promise(
                    104, "Fractions of a second", "The kernel's largest values",
                    by: "TransportOptionTests: fractions of a second"),
                Promise(
                    105, "Unanswered probes after which",
                    by: "TransportOptionTests: each option is what",
                    "VanishedPeerTests: an idle connection"),
            ]),
        PromisedPlace(
            "Sources/Tron/System/SocketAddress.swift",
            [
                Promise(
                    106, "as only this machine sees it", "Every IPv4 address of this machine",
                    by: "SocketAddressTests: the port is replaced")
            ]),
        PromisedPlace(
            "Sources/Tron/System/SocketAddressText.swift",
            [
                Promise(
                    107, "The canonical text", by: "SocketAddressTests: an accepted form",
                    "SocketAddressTests: random addresses survive the way to text"),
                Promise(
                    108, "Only the unnamed `unix:`",
                    by: "KernelAddressTests: a socket that was never bound",
                    "SocketAddressTests: a refused text comes back"),
            ]),
        PromisedPlace(
            "Sources/Tron/System/UnixPath.swift",
            [
                Promise(
                    109, "a socket that was never bound",
                    by: "KernelAddressTests: a socket that was never bound")
            ]),
    ]
}
