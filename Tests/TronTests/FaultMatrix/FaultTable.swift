// The one table of the fault matrix: each call, the errors of its manual page, and what is right.
@testable import Tron

extension FaultRow {
    static let table: [FaultRow] = endpoints + options + bytes + loop + others

    /// Methods of `Kernel` for which no errno is injected, and why.
    static let methodsWithoutErrno = [
        "now": "clock_gettime(2) of CLOCK_MONOTONIC cannot fail.",
        "randomSeed": "The standard library's generator cannot fail.",
        "processors": "sched_getaffinity(2) that fails is no processor, a value: see GroupTests.",
        "pinThread": "Refusals are thrown by ReactorGroup.run(): see GroupEndTests.",
        "startThread": "pthread_create(3) that fails is a name without an address, a value.",
        "resolve": "getaddrinfo(3) has errors of its own, which are values: see ResolverTests.",
        "adoptListener": "Before there is a reactor, and thrown: see InheritedListenersTests.",
        "sendDatagram": "Refusals are thrown or reported: see SupervisorTests.",
        "takeSignals": "Reads what the signal handler has noted in memory.",
        "stopSignals": "sigaction(2) cannot refuse to put back what it has replaced.",
        "closeSignals": "As for stopSignals.",
    ]

    /// How an attempt to connect fails.
    private static let dialEnds: Set<FaultEffect> = [.dialFails, .clientRetries, .clientGivesUp]
    /// How a session fails; a client's connection is its session.
    private static let sessionFails: Set<FaultEffect> = [
        .sessionEnds, .clientRetries, .clientGivesUp,
    ]

    private static let nextAddress = "A client with another address goes on with that."
    private static let closing = "A session that is closing keeps the reason of its close."
}

extension FaultRow {
    private static let endpoints = [
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

    private static let options = [
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

    private static let bytes = [
        FaultRow(
            call: .receive, methods: ["receive", "receive"], told: .recv,
            pages: "recv(2), readv(2), tcp(7), ip(7)",
            errors: [
                .interrupted, .notNow,
                Errors(
                    "ECONNREFUSED ECONNRESET EFAULT EHOSTUNREACH EINVAL ENETUNREACH ENOBUFS ENOMEM "
                        + "ENOTCONN ENOTSOCK EOPNOTSUPP EPIPE ETIMEDOUT",
                    sessionFails.union([.unseen]), "The connection is lost. " + closing),
            ]),
        FaultRow(
            call: .send, methods: ["send", "send"], told: .send, pages: "send(2), tcp(7), ip(7)",
            errors: [
                .interrupted, .notNow,
                Errors(
                    "EACCES EALREADY ECONNRESET EDESTADDRREQ EFAULT EHOSTUNREACH EINVAL EISCONN "
                        + "EMSGSIZE ENETDOWN ENETUNREACH ENOBUFS ENOMEM ENOTCONN ENOTSOCK "
                        + "EOPNOTSUPP EPERM EPIPE ETIMEDOUT",
                    sessionFails, "The connection is lost."),
            ]),
        FaultRow(
            call: .read, methods: ["read"], told: .read,
            pages: "read(2), eventfd(2)",
            errors: [
                .interrupted, .notNow,
                Errors(
                    "EFAULT EINVAL EIO EISDIR", [.runThrows],
                    "The loop would be deaf to other threads or signals, and be told of them for "
                        + "ever."),
            ]),
        FaultRow(
            call: .write, methods: ["write"], told: .write, pages: "write(2), eventfd(2)",
            errors: [
                .interrupted,
                Errors(
                    "EAGAIN", [.comesLate], otherwise: .comesLate,
                    "Only of a full counter, which is readable: here it is not full."),
                Errors(
                    "EDESTADDRREQ EDQUOT EFAULT EFBIG EINVAL EIO ENOSPC EPERM EPIPE", [.comesLate],
                    otherwise: .comesLate,
                    "The work was taken and is done; the next submission wakes the loop again."),
            ]),
    ]

    private static let loop = [
        FaultRow(
            call: .epollCreate, methods: ["epollCreate"], told: .epoll_create1,
            pages: "epoll_create1(2)", trapsOnBadDescriptor: false,
            errors: [
                Errors("EINVAL EMFILE ENFILE ENOMEM", [.reactorThrows], "There is no loop.")
            ]),
        FaultRow(
            call: .epollControl, methods: ["epollControl"], told: .epoll_ctl, pages: "epoll_ctl(2)",
            errors: [
                Errors(
                    "EEXIST EINVAL ELOOP ENOENT ENOMEM ENOSPC EPERM",
                    dialEnds.union(sessionFails).union([
                        .reactorThrows, .listenThrows, .onSignalThrows, .acceptFails, .acceptPauses,
                        .unseen,
                    ]), "What cannot be heard of is not begun, or ends. " + closing)
            ]),
        FaultRow(
            call: .epollWait, methods: ["epollWait"], told: .epoll_wait,
            pages: "epoll_wait(2), epoll_pwait2(2)",
            errors: [
                Errors("EINTR", [.unseen], "The turn goes on without events."),
                Errors("EFAULT EINVAL", [.runThrows], "There is no loop."),
            ]),
    ]

    private static let others = [
        FaultRow(
            call: .eventDescriptor, methods: ["eventDescriptor"], told: .eventfd,
            pages: "eventfd(2)", trapsOnBadDescriptor: false,
            errors: [
                Errors(
                    "EINVAL EMFILE ENFILE ENODEV ENOMEM", [.reactorThrows, .onSignalThrows],
                    "No other thread, or no signal, could wake the loop.")
            ]),
        FaultRow(
            call: .signalPlace, methods: ["openSignals"], told: .sigaction,
            pages: "the table of the signal handler", trapsOnBadDescriptor: false,
            errors: [
                Errors("EUSERS", [.onSignalThrows], "The signal does what it did before.")
            ]),
        FaultRow(
            call: .signalAction, methods: ["watchSignal"], told: .sigaction, pages: "sigaction(2)",
            trapsOnBadDescriptor: false,
            errors: [
                Errors("EFAULT EINVAL", [.onSignalThrows], "The signal does what it did before.")
            ]),
        FaultRow(
            call: .unlink, methods: ["unlink"], told: nil, pages: "unlink(2)",
            trapsOnBadDescriptor: false,
            errors: [
                Errors(
                    "EACCES EBUSY EFAULT EINVAL EIO EISDIR ELOOP ENAMETOOLONG ENOENT ENOMEM "
                        + "ENOTDIR EPERM EROFS", [.staleFileStays, .unseen],
                    "The file of a socket stays; a later server takes it over.")
            ]),
        FaultRow(
            call: .socketFile, methods: ["socketFile"], told: nil, pages: "lstat(2)",
            trapsOnBadDescriptor: false,
            errors: [
                Errors(
                    "EACCES EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EOVERFLOW",
                    [.staleFileStays, .unseen],
                    "What is not known to be a socket, or the server's own, is left alone.")
            ]),
    ]
}
