// The readiness queue: epoll(7), level-triggered.
internal import CEpollShim

/// What epoll says of a descriptor, or is asked to say.
struct Readiness: OptionSet {
    /// Those of epoll's bits that are used here; the others lie above.
    let rawValue: UInt16

    static let readable = Readiness(rawValue: UInt16(EPOLLIN.rawValue))
    static let writable = Readiness(rawValue: UInt16(EPOLLOUT.rawValue))
    /// The peer has ended its stream, though what it sent before may not have been read.
    static let peerEnd = Readiness(rawValue: UInt16(EPOLLRDHUP.rawValue))
    /// Told whether asked for or not, until the descriptor is closed or taken out.
    static let error = Readiness(rawValue: UInt16(EPOLLERR.rawValue))
    /// Both directions are shut. Told like `error`.
    static let hangUp = Readiness(rawValue: UInt16(EPOLLHUP.rawValue))
}

/// Owns an epoll descriptor and the list that it fills.
@safe
struct Epoll: ~Copyable {
    /// Events a wait can return; what is over waits for the next turn, where epoll goes on with it.
    static let capacity = 512

    private let descriptor: Descriptor
    private let list: UnsafeMutableRawPointer

    init(kernel: Kernel) throws(SystemError) {
        let number = try SystemError.require(.epoll_create1) { kernel.epollCreate() }
        descriptor = Descriptor(number, kernel: kernel)
        unsafe list = .allocate(
            byteCount: Self.capacity * tron_epoll_event_size(), alignment: 16)
    }

    deinit { unsafe list.deallocate() }

    borrowing func add(
        _ number: Int32, _ interest: Readiness, token: UInt64
    ) throws(SystemError) {
        try control(EPOLL_CTL_ADD, number, interest, token)
    }

    borrowing func modify(
        _ number: Int32, _ interest: Readiness, token: UInt64
    ) throws(SystemError) {
        try control(EPOLL_CTL_MOD, number, interest, token)
    }

    /// Takes a descriptor out, while it is open.
    borrowing func remove(_ number: Int32) throws(SystemError) {
        try control(EPOLL_CTL_DEL, number, [], 0)
    }

    private borrowing func control(
        _ operation: Int32, _ number: Int32, _ interest: Readiness, _ token: UInt64
    ) throws(SystemError) {
        try SystemError.require(.epoll_ctl) {
            descriptor.kernel.epollControl(
                descriptor.number, operation: operation, descriptor: number,
                events: UInt32(interest.rawValue), token: token)
        }
    }

    /// How many events there are after at most `nanoseconds`, negative for ever. A signal ends the
    /// wait with none, so that the caller computes a new timeout.
    borrowing func wait(nanoseconds: Int64) throws(SystemError) -> Int {
        let count = unsafe descriptor.kernel.epollWait(
            descriptor.number, list, Int32(Self.capacity), nanoseconds: nanoseconds)
        if count == -Int(EINTR) { return 0 }
        return try SystemError.require(.epoll_wait) { count }
    }

    /// Event `index` of those that the last wait returned.
    @inline(__always)
    borrowing func event(_ index: Int) -> (token: UInt64, readiness: Readiness) {
        (
            unsafe tron_epoll_token(list, index),
            unsafe Readiness(rawValue: UInt16(truncatingIfNeeded: tron_epoll_events(list, index)))
        )
    }
}
