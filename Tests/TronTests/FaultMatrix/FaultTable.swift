// The one table of the fault matrix: each call, the errors of its manual page, and what is right.
@testable import Tron

extension FaultRow {
    static let table: [FaultRow] = endpoints + options + bytes + loop + others

    /// Methods of `Kernel` for which no errno is injected, and why.
    static let methodsWithoutErrno = [
        "now": "clock_gettime(2) of CLOCK_MONOTONIC cannot fail.",
        "randomSeed": "The standard library's generator cannot fail.",
        "processors":
            "sched_getaffinity(2) that fails is no processor, a value: see GroupBeginTests.",
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
    static let dialEnds: Set<FaultEffect> = [.dialFails, .clientRetries, .clientGivesUp]
    /// How a session fails; a client's connection is its session.
    static let sessionFails: Set<FaultEffect> = [
        .sessionEnds, .clientRetries, .clientGivesUp,
    ]

    static let nextAddress = "A client with another address goes on with that."
    static let closing = "A session that is closing keeps the reason of its close."
}

extension FaultRow {
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
