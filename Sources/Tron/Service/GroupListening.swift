// How a group comes to listen: all its sockets are made at once, and given to the reactors later.

/// An address that a group listens on.
public struct GroupServer: Sendable {
    /// Where it listens; with the port that the kernel chose, if that was 0.
    public let address: SocketAddress

    fileprivate let shares: ServerShares

    /// How many sessions each reactor has of it, by index: connections without a PROXY header yet
    /// included, and those that are on their way to it. From any thread.
    public var sessionCounts: [Int] { (0..<shares.counts.count).map { shares.counts[$0] } }

    /// How many sessions it has. From any thread.
    public var sessionCount: Int { sessionCounts.reduce(0, +) }
}

extension ReactorGroup {
    /// Listens on an address with all reactors: `0.0.0.0:9000`, `[::1]:9000`, `/run/x.sock`; port 0
    /// takes a free one. To be called before `run()`, from any thread. From then on connections
    /// wait in the kernel, until the reactors run. `setup` is called once for every accepted
    /// connection, on the thread of the reactor that serves it, and installs its handlers.
    ///
    /// Of the limits, `ServerLimits.maximumSessions` and `maximumSessionsPerAddress` bound all
    /// reactors together; the others bound each. A Unix socket is accepted from by the first
    /// reactor, which deals the connections out.
    /// - Throws: `AddressError` when the text is no address; `EndpointError` when the kernel
    ///   refuses it, because the port is taken, say: also by another program of the same user.
    @discardableResult
    public func listen(
        on address: String, options: ServerOptions = ServerOptions(),
        setup: @escaping @Sendable (Session) -> Void
    ) throws -> GroupServer {
        try listen(on: SocketAddress(address), options: options, setup: setup)
    }

    /// The same for an address that is not a text.
    @discardableResult
    public func listen(
        on address: SocketAddress, options: ServerOptions = ServerOptions(),
        setup: @escaping @Sendable (Session) -> Void
    ) throws(EndpointError) -> GroupServer {
        do throws(SystemError) {
            let server = SharedServer(
                areDealt: address.isUnix, count: count, options, kernel: kernel, setup)
            try server.listen(on: address)
            return begin(server)
        } catch {
            throw EndpointError(address: address, cause: error)
        }
    }

    /// The same on a socket that another process made (`InheritedListeners`): see
    /// `Reactor.listen(on:options:setup:)`. The first reactor accepts, and deals the connections
    /// out: there is one socket, which a reactor that is woken in vain would cost the others.
    /// - Throws: `EndpointError` when the kernel refuses an option or has no memory for it; the
    ///   socket is closed then.
    @discardableResult
    public func listen(
        on inherited: consuming InheritedListener, options: ServerOptions = ServerOptions(),
        setup: @escaping @Sendable (Session) -> Void
    ) throws(EndpointError) -> GroupServer {
        let address = inherited.address
        var descriptor = inherited.take()
        do throws(SystemError) {
            try descriptor.setListenerOptions(for: address, options.session)
        } catch {
            throw EndpointError(address: address, cause: error)
        }
        let server = SharedServer(areDealt: true, count: count, options, kernel: kernel, setup)
        server.adopt(
            ListeningSocket(
                descriptor: descriptor.take(by: kernel), address: address, file: nil,
                isInherited: true))
        return begin(server)
    }

    private func begin(_ server: SharedServer) -> GroupServer {
        add(server)
        return GroupServer(address: server.address, shares: server.shares)
    }
}

/// The listening sockets of one address until the reactors take them.
final class SharedServer: Sendable {
    /// A socket that nobody has taken yet: its number, and the file that stands for it.
    private struct Waiting: Sendable {
        let number: Int32
        let file: SocketFile?
        let isInherited: Bool
    }

    private struct State: Sendable {
        var address = SocketAddress.loopback(port: 0)
        /// In the order of the reactors; the last ones have none where one accepts for all.
        var sockets: [Waiting?] = []
    }

    /// How long a group's drain goes on accepting, where the options do not say.
    static let drainWindow = Duration.milliseconds(200)

    let shares: ServerShares
    private let options: ServerOptions
    private let kernel: Kernel
    private let setup: @Sendable (Session) -> Void
    private let state = Locked(State())

    init(
        areDealt: Bool, count: Int, _ options: ServerOptions, kernel: Kernel,
        _ setup: @escaping @Sendable (Session) -> Void
    ) {
        options.limits.validate()
        var options = options
        options.drainWindow = options.drainWindow ?? Self.drainWindow
        self.options = options
        self.kernel = kernel
        self.setup = setup
        shares = ServerShares(count: count, areDealt: areDealt)
    }

    deinit { close() }

    var address: SocketAddress { state.withLock { $0.address } }

    /// Makes a socket for each reactor, or one for all. The first finds out whether the address can
    /// be had, and which port it is.
    func listen(on address: SocketAddress) throws(SystemError) {
        let isAlone = shares.areDealt || shares.counts.count == 1
        let founding: PortSharing =
            options.reusesPort ? .joining : isAlone ? .none : .founding
        adopt(
            try ListeningSocket.opened(
                on: address, options: options, sharing: founding, kernel: kernel))
        guard !isAlone else { return }
        for _ in 1..<shares.counts.count {
            adopt(
                try ListeningSocket.opened(
                    on: self.address, options: options, sharing: .joining, kernel: kernel))
        }
    }

    func adopt(_ socket: consuming ListeningSocket) {
        let address = socket.address
        let waiting = Waiting(
            number: socket.descriptor.surrender(), file: socket.file,
            isInherited: socket.isInherited)
        state.withLock { state in
            state.address = address
            state.sockets.append(waiting)
        }
    }

    private func take(_ index: Int) -> Waiting? {
        state.withLock { state in
            guard state.sockets.indices.contains(index) else { return nil }
            return state.sockets[index].take()
        }
    }

    /// Makes the server of this reactor, which the others may hand connections to.
    func open(on reactor: Reactor, at index: Int) throws(EndpointError) -> Server {
        let registry = reactor.registry
        let waiting = take(index)
        let socket = ListeningSocket(
            descriptor: Descriptor(Int(waiting?.number ?? -1), kernel: registry.kernel),
            address: address, file: waiting?.file, isInherited: waiting?.isInherited ?? false)
        do throws(SystemError) {
            let server = try Server(
                socket, options: options, setup: setup, registry: registry,
                share: ServerShare(shares: shares, index: index))
            shares.join(index, reactor.remote)
            return server
        } catch {
            throw EndpointError(address: address, cause: error)
        }
    }

    /// Closes the sockets that no reactor has taken.
    func close() {
        let address = address
        for index in 0..<shares.counts.count {
            guard let waiting = take(index) else { continue }
            if let path = address.file, let file = waiting.file, kernel.socketFile(path) == file {
                _ = kernel.unlink(path)
            }
            _ = Descriptor(Int(waiting.number), kernel: kernel)
        }
    }
}
