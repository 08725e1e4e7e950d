// How a server comes to listen, and the sockets for each kind of address.

extension Reactor {
    /// Listens on an address: `127.0.0.1:9000`, `[::1]:9000`, `/run/x.sock`; port 0 takes a free
    /// one. `setup` is called once for every accepted connection and installs its handlers; it is
    /// dropped with what it holds when the server stops listening, while sessions go on. On the
    /// loop's thread, or before it runs.
    /// - Throws: `AddressError` when the text is no address; `EndpointError` when the kernel
    /// refuses
    ///   it, because the port is taken, say.
    @discardableResult
    public func listen(
        on address: String, options: ServerOptions = ServerOptions(),
        setup: @escaping (Session) -> Void
    ) throws -> Server {
        try listen(on: SocketAddress(address), options: options, setup: setup)
    }

    /// The same for an address that is not a text.
    @discardableResult
    public func listen(
        on address: SocketAddress, options: ServerOptions = ServerOptions(),
        setup: @escaping (Session) -> Void
    ) throws(EndpointError) -> Server {
        requireListening()
        do throws(SystemError) {
            let socket = try ListeningSocket.opened(
                on: address, options: options, sharing: options.reusesPort ? .joining : .none,
                kernel: registry.kernel)
            return try Server(socket, options: options, setup: setup, registry: registry)
        } catch {
            throw EndpointError(address: address, cause: error)
        }
    }

    /// Traps where nothing may begin to listen.
    func requireListening() {
        registry.requireLoop("Reactor.listen(on:)")
        demand(!isFinished, "Reactor.listen(on:) was called after the reactor had stopped")
    }
}

/// Whether other sockets listen on the address, too (SO_REUSEPORT).
enum PortSharing {
    case none
    /// This one is made for a port that others have, or may take.
    case joining
    /// Others are to join this one, which finds out whether the port is taken: also by a program
    /// of the same user, beside which it could listen unnoticed if it had the option before.
    case founding
}

extension ListeningSocket {
    /// A bound, listening, nonblocking socket.
    static func opened(
        on address: SocketAddress, options: ServerOptions, sharing: PortSharing, kernel: Kernel
    ) throws(SystemError) -> ListeningSocket {
        let descriptor = try Descriptor.socket(for: address, kernel: kernel)
        if address.isUnix {
            removeStaleSocket(at: address, kernel: kernel)
        } else {
            try descriptor.setReuseAddress()
            if case .ipv6 = address { try descriptor.setIPv6Only() }
            if sharing == .joining { try descriptor.setReusePort() }
        }
        try descriptor.setListenerOptions(for: address, options.session)
        try descriptor.bind(to: address)
        var local: SocketAddress?
        do throws(SystemError) {
            if sharing == .founding { try descriptor.setReusePort() }
            try descriptor.listen(backlog: options.limits.backlog)
            local = try SocketCalls(kernel: kernel).localAddress(of: descriptor.number)
        } catch {
            // Takes back the file that bind(2) made.
            if let path = address.file { _ = kernel.unlink(path) }
            throw error
        }
        let bound = local ?? address
        return ListeningSocket(
            descriptor: descriptor, address: bound,
            file: bound.file.flatMap { kernel.socketFile($0) })
    }

    /// A server that was killed leaves its socket file behind, which would refuse every later one.
    /// It is removed when it is a socket and nobody listens on it: then connect(2) is refused.
    private static func removeStaleSocket(at address: SocketAddress, kernel: Kernel) {
        guard let path = address.file, kernel.socketFile(path) != nil,
            let probe = try? Descriptor.socket(for: address, kernel: kernel)
        else { return }
        do throws(SystemError) {
            _ = try probe.connect(to: address)
        } catch {
            if error.isRefused { _ = kernel.unlink(path) }
        }
    }
}

extension Descriptor {
    /// Accepted sockets inherit them.
    borrowing func setListenerOptions(
        for address: SocketAddress, _ options: SessionOptions
    ) throws(SystemError) {
        if !address.isUnix { try setTCPOptions(options) }
    }
}

extension SocketAddress {
    /// The file of a Unix socket; nil for every other address.
    var file: String? {
        if case .unix(let path) = self { path.file } else { nil }
    }
}
