// What the documentation of proxies, networks and rates promises.

extension PromisedPlace {
    static let proxies = [
        PromisedPlace(
            "Sources/Tron/System/Network.swift",
            [
                Promise(
                    851, "The part before the slash", "The part after the slash",
                    by: "NetworkTests: what is no network says why")
            ]),
        PromisedPlace(
            "Sources/Tron/Wire/ProxiedConnection.swift",
            [
                Promise(
                    852, "At most 255 bytes.", "At most 128 bytes.",
                    by: "ProxyHeaderTests: the longest values are taken",
                    "ProxyHeaderFaultTests: a value that does not fit is refused"),
                Promise(
                    853, "nil when there was none or nothing was told of it",
                    by: "ProxyHeaderTests: only a certificate that was shown"),
            ]),
        PromisedPlace(
            "Sources/Tron/Wire/ProxyHeaderFault.swift",
            [
                Promise(
                    854, "no line end within 107 bytes",
                    by: "ProxyHeaderFaultTests: a line without an end",
                    "ProxyHeaderFaultTests: a line of one byte too many")
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionOrigin.swift",
            [
                Promise(
                    855, "before its first byte; nil without `ServerOptions.proxyProtocol`",
                    by: "ProxyProtocolTests: a session has its client's address",
                    "ProxyProtocolTests: a server that requires no header has none")
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ProxyProtocol.swift",
            [
                Promise(
                    856, "Every connection has to begin with a header",
                    by: "ProxyRefusalTests: a header from elsewhere is closed unread",
                    "ProxyRefusalTests: what is no header is closed"),
                Promise(
                    857, "becomes a session once its header has come",
                    by: "ProxyProtocolTests: nobody hears of a connection",
                    "ProxyRefusalTests: the client's address is what has a limit"),
                Promise(
                    858, "networks: At least one.",
                    by: "MisuseTests: misuse ends the process and says what was wrong"),
                Promise(859, "Default 5 s", by: "ProxyRefusalTests: the defaults"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ProxyCounters.swift",
            [
                Promise(
                    860, "Headers that had not come within",
                    by: "ProxyRefusalTests: a header that does not come in time"),
                Promise(
                    861, "Connections that ended before their header had come",
                    by: "ProxyRefusalTests: a peer that ends before its header"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ReactorEvent.swift",
            [
                Promise(
                    862, "Why a connection was closed before it was a session",
                    "The PROXY header did not come within",
                    "The connection ended before its PROXY header",
                    "The server stopped listening before the PROXY header",
                    by: "ProxyRefusalTests: a header that does not come in time",
                    "ProxyRefusalTests: a peer that ends before its header",
                    "ProxyRefusalTests: whatever ends the server")
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ServerOptions.swift",
            [
                Promise(
                    863, "Nil, the default: they come from the clients themselves",
                    by: "ProxyRefusalTests: the defaults")
            ]),
    ]

    static let rates = [
        PromisedPlace(
            "Sources/Tron/Storage/TokenBucket.swift",
            [
                Promise(
                    864, "So many a second, and so many at once.",
                    "How many there may be at once",
                    by: "TokenBucketTests: over any time a bucket gives"),
                Promise(
                    865, "Traps on numbers out of their ranges.",
                    by: "MisuseTests: misuse ends the process and says what was wrong"),
            ]),
        PromisedPlace(
            "Sources/Tron/Endpoints/ServerLimits.swift",
            [
                Promise(
                    866, "Connections a server accepts a second, and at once.",
                    "Further ones wait in the backlog until there are tokens",
                    by: "AcceptRateTests: a burst is accepted at once"),
                Promise(
                    867, "Default 4,096: addresses take", "Default 1,024, which take",
                    by: "ProxyRefusalTests: the defaults"),
                Promise(
                    868, "further ones are closed at once",
                    by: "ProxyRefusalTests: no more than so many wait"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionLimits.swift",
            [
                Promise(
                    869, "parts that a handler of bytes consumes, a second and at once",
                    "Above it the session does not read",
                    by: "PacketRateTests: a burst is delivered at once",
                    "PacketRateTests: while it waits nothing is read"),
                Promise(
                    870, "Nil, the default: no limit, since back pressure",
                    by: "ProxyRefusalTests: the defaults"),
            ]),
        PromisedPlace(
            "README.md",
            [
                Promise(
                    871, "Nobody hears of a connection before all of its header has come",
                    by: "ProxyProtocolTests: nobody hears of a connection"),
                Promise(
                    872, "No faster than you allow",
                    by: "AcceptRateTests: a burst is accepted at once",
                    "PacketRateTests: a burst is delivered at once"),
            ]),
    ]
}
