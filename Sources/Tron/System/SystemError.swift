// The error of a refused system call, and the one place where the kernel's answers are judged.
internal import CEpollShim

/// A system call that the kernel refused: which one, and the `errno` it gave.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system calls that Tron makes, by their manual page's name.
    public enum Call: String, Sendable, CaseIterable {
        // swift-format-ignore: AlwaysUseLowerCamelCase
        case accept4, bind, close, connect, epoll_create1, epoll_ctl, epoll_wait, eventfd
        // swift-format-ignore: AlwaysUseLowerCamelCase
        case getsockname, getsockopt, listen, pthread_create, read, recv, sched_setaffinity, send
        case sendto, setsockopt, shutdown, sigaction, socket, write
    }

    /// The call that failed.
    public let call: Call

    /// The `errno` of the failure, as in errno(3).
    public let code: Int32

    /// Makes an error by hand, as a test of a handler might.
    public init(_ call: Call, code: Int32) {
        self.call = call
        self.code = code
    }

    /// The call, and what strerror(3) says of the code: `bind: Address already in use`.
    public var description: String {
        let message = unsafe strerror(code).map { unsafe String(cString: $0) }
        return "\(call.rawValue): \(message ?? "error \(code)")"
    }
}

extension SystemError {
    /// Repeats `attempt` as long as a signal interrupts it. Returns nil where the call would block.
    @inline(__always)
    static func judge(
        _ call: Call, _ attempt: () -> Int
    ) throws(SystemError) -> Int? {
        while true {
            let result = attempt()
            if result >= 0 { return result }
            if result == -Int(EINTR) { continue }
            if result == -Int(EAGAIN) { return nil }
            throw failure(call, result)
        }
    }

    /// For calls that cannot block: what `judge` returns, and EAGAIN as an error like any other.
    @inline(__always)
    @discardableResult
    static func require(_ call: Call, _ attempt: () -> Int) throws(SystemError) -> Int {
        guard let result = try judge(call, attempt) else {
            throw SystemError(call, code: EAGAIN)
        }
        return result
    }

    /// EBADF means that a descriptor was closed behind its owner's back: to go on would risk
    /// another connection's bytes.
    @inline(never)
    private static func failure(_ call: Call, _ result: Int) -> SystemError {
        demand(result != -Int(EBADF), "\(call.rawValue): a descriptor was closed by others")
        return SystemError(call, code: Int32(truncatingIfNeeded: -result))
    }

    /// What recv(2) answers when the peer has reset the connection.
    static var reset: SystemError { SystemError(.recv, code: ECONNRESET) }

    /// What send(2) answers once nothing can be sent any more.
    static var brokenPipe: SystemError { SystemError(.send, code: EPIPE) }

    /// Whether the process or the system ran out of something that a later close gives back.
    var isExhaustion: Bool {
        code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM
    }

    /// Whether the peer's kernel reset the connection.
    var isReset: Bool { code == ECONNRESET || code == EPIPE }

    /// Whether the peer's kernel did not answer.
    var isSilence: Bool { code == ETIMEDOUT }

    /// Whether a later attempt to connect can succeed where this one failed. Give up: what no
    /// waiting changes (a forbidden or impossible address). Retry: everything else, because peers,
    /// routes, ports, memory and socket files come back.
    var isWorthARetry: Bool {
        switch code {
        case EACCES, EPERM, EAFNOSUPPORT, EPROTONOSUPPORT, EPROTOTYPE, EINVAL, ENOTSOCK, EOPNOTSUPP:
            false
        default: true
        }
    }

    /// Nobody listens at the address.
    var isRefused: Bool { code == ECONNREFUSED }
}
