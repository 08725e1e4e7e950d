// The part of the fault matrix's table about sockets: how they are had, connected and closed, and
// their options.
@testable import Tron

extension FaultRow {
    static let endpoints = [
        FaultRow(
            call: .socket, methods: ["socket"], told: .socket, pages: "socket(2), ip(7), unix(7)",
            trapsOnBadDescriptor: false,
            errors: [
                Errors(
                    "EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM EPERM EPROTONOSUPPORT "
                        + "ESOCKTNOSUPPORT",
                    dialEnds.union([.listenThrows, .staleFileStays, .unseen]),
                    "There is no socket to go on with. " + nextAddress)
            ]),
        FaultRow(
            call: .bind, methods: ["bind"], told: .bind, pages: "bind(2), ip(7), unix(7)",
            errors: [
                Errors(
                    "EACCES EADDRINUSE EADDRNOTAVAIL EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT "
                        + "ENOMEM ENOTDIR ENOTSOCK EPERM EROFS", [.listenThrows],
                    "The address cannot be had.")
            ]),
        FaultRow(
            call: .listen, methods: ["listen"], told: .listen, pages: "listen(2)",
            errors: [
                Errors("EADDRINUSE ENOTSOCK EOPNOTSUPP", [.listenThrows], "As for bind.")
            ]),
        FaultRow(
            call: .accept, methods: ["accept"], told: nil, pages: "accept4(2), tcp(7)",
            errors: [
                .interrupted, .notNow,
                Errors(
                    "EMFILE ENFILE ENOBUFS ENOMEM", [.acceptPauses],
                    "The connections wait until a descriptor is free, or for 50 ms."),
                Errors(
                    "ECONNABORTED EFAULT EHOSTDOWN EHOSTUNREACH EINVAL ENETDOWN ENETUNREACH ENONET "
                        + "ENOPROTOOPT ENOSR ENOTSOCK EOPNOTSUPP EPERM EPROTO EPROTONOSUPPORT "
                        + "ESOCKTNOSUPPORT ETIMEDOUT", [.acceptFails, .acceptPauses],
                    "One connection is gone; after 64 in a row accepting rests for 50 ms."),
            ]),
        FaultRow(
            call: .connect, methods: ["connect"], told: .connect,
            pages: "connect(2), ip(7), tcp(7), unix(7)",
            errors: [
                Errors(
                    "EINPROGRESS EINTR", [.staleFileStays, .unseen],
                    "It goes on by itself; only a stale socket file is not waited for."),
                Errors(
                    "EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY ECONNREFUSED "
                        + "ECONNRESET EFAULT EHOSTUNREACH EINVAL EISCONN ENETUNREACH ENOENT "
                        + "ENOTSOCK EPERM EPROTOTYPE ETIMEDOUT",
                    dialEnds.union([.staleFileStays, .unseen]),
                    "Nobody is there, or not now. " + nextAddress),
            ]),
        FaultRow(
            call: .shutdown, methods: ["shutdownWriting"], told: .shutdown, pages: "shutdown(2)",
            errors: [
                Errors(
                    "EINVAL ENOTCONN ENOTSOCK", [.sessionEnds, .endsSooner, .unseen],
                    otherwise: .endsSooner, "The connection has gone already. " + closing)
            ]),
        FaultRow(
            call: .shutdownReading, methods: ["shutdownReading"], told: .shutdown,
            pages: "shutdown(2)",
            errors: [
                Errors(
                    "EINVAL ENOTCONN ENOTSOCK", [.unseen],
                    "Who connects until the listener is closed is reset.")
            ]),
        FaultRow(
            call: .close, methods: ["close"], told: nil, pages: "close(2)",
            errors: [
                Errors(
                    "EDQUOT EINTR EIO ENOSPC", [.unseen],
                    "Linux has released the number; to repeat it would close another's.")
            ]),
    ]

    static let options = [
        FaultRow(
            call: .localAddress, methods: ["localAddress"], told: .getsockname,
            pages: "getsockname(2)",
            errors: [
                Errors(
                    "EFAULT EINVAL ENOBUFS ENOTSOCK", dialEnds.union([.listenThrows]),
                    "A server has to know its port, a client that it met not itself.")
            ]),
        FaultRow(
            call: .setOption, methods: ["setOption"], told: .setsockopt,
            pages: "setsockopt(2), ip(7)",
            errors: [
                Errors(
                    "EFAULT EINVAL ENOBUFS ENOMEM ENOPROTOOPT ENOTSOCK EPERM",
                    dialEnds.union([.listenThrows, .unseen]),
                    "What was asked for would not hold. " + nextAddress)
            ]),
        FaultRow(
            call: .filter, methods: ["dropNewConnections"], told: .setsockopt,
            pages: "setsockopt(2), socket(7)",
            errors: [
                Errors(
                    "EACCES EFAULT EINVAL ENOBUFS ENOMEM ENOPROTOOPT ENOTSOCK EPERM", [.unseen],
                    "Only who waits already is accepted; who connects later is reset.")
            ]),
        FaultRow(
            call: .linger, methods: ["setLingerZero"], told: nil, pages: "setsockopt(2)",
            errors: [
                Errors(
                    "EFAULT EINVAL ENOPROTOOPT ENOTSOCK", [.unseen],
                    "The connection is closed without a reset.")
            ]),
        FaultRow(
            call: .socketError, methods: ["socketError"], told: .getsockopt,
            pages: "getsockopt(2)",
            errors: [
                Errors(
                    "EFAULT EINVAL ENOPROTOOPT ENOTSOCK",
                    dialEnds.union([.sessionEnds, .unseen]),
                    "Whether the connection stands is not known. " + nextAddress)
            ]),
        FaultRow(
            call: .sendProgress, methods: ["sendProgress"], told: .getsockopt,
            pages: "getsockopt(2), tcp(7)",
            errors: [
                Errors(
                    "EFAULT EINVAL ENOPROTOOPT ENOTSOCK EOPNOTSUPP", [.unseen],
                    "As of a Unix socket: what the kernel took counts as arrived.")
            ]),
    ]
}
