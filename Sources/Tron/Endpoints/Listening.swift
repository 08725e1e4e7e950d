// How a server comes to listen, and the sockets for each kind of address.

extension Reactor {
    /// Listens on an address: `127.0.0.1:9000`, `[::1]:9000`, `/run/x.sock`; port 0 takes a free
    /// one. `setup` is called once for every accepted connection and installs its handlers. On the
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
        registry.requireLoop("Reactor.listen(on:)")
        demand(!isFinished, "Reactor.listen(on:) was called after the reactor had stopped")
        do throws(SystemError) {
            return try Server(address, options: options, setup: setup, registry: registry)
        } catch {
            throw EndpointError(address: address, cause: error)
        }
    }
}

extension Descriptor {
    /// A bound, listening, nonblocking socket.
    static func listening(
        on address: SocketAddress, options: ServerOptions, kernel: Kernel
    ) throws(SystemError) -> Descriptor {
        let descriptor = try Descriptor.socket(for: address, kernel: kernel)
        if address.isUnix {
            removeStaleSocket(at: address, kernel: kernel)
        } else {
            try descriptor.setReuseAddress()
            if case .ipv6 = address { try descriptor.setIPv6Only() }
            if options.reusesPort { try descriptor.setReusePort() }
            try descriptor.setTCPOptions(options.session)
        }
        try descriptor.bind(to: address)
        try removingFile(of: address, kernel: kernel) { () throws(SystemError) in
            try descriptor.listen(backlog: options.limits.backlog)
        }
        return descriptor
    }

    /// Takes back the file that bind(2) made when a later step fails.
    static func removingFile(
        of address: SocketAddress, kernel: Kernel, unless step: () throws(SystemError) -> Void
    ) throws(SystemError) {
        do throws(SystemError) {
            try step()
        } catch {
            if let path = address.file { _ = kernel.unlink(path) }
            throw error
        }
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

extension SocketAddress {
    /// The file of a Unix socket; nil for every other address.
    var file: String? {
        if case .unix(let path) = self { path.file } else { nil }
    }
}
