// A server on a listening socket that was handed over.

extension Reactor {
    /// Listens on a socket that another process made (`InheritedListeners`), as `listen(on:)` does
    /// on an address. `ServerLimits.backlog` and `ServerOptions.reusesPort` were that process's to
    /// choose. The file of a Unix socket stays when the server stops, and connections that wait are
    /// not reset, as long as the other process keeps the socket. On the loop's thread, or before it
    /// runs.
    /// - Throws: `EndpointError` when the kernel refuses an option or has no memory for it; the
    ///   socket is closed then.
    @discardableResult
    public func listen(
        on inherited: consuming InheritedListener, options: ServerOptions = ServerOptions(),
        setup: @escaping (Session) -> Void
    ) throws(EndpointError) -> Server {
        requireListening()
        let address = inherited.address
        var descriptor = inherited.take()
        do throws(SystemError) {
            try descriptor.setListenerOptions(for: address, options.session)
            let socket = ListeningSocket(
                descriptor: descriptor.take(by: registry.kernel), address: address, file: nil,
                isInherited: true)
            return try Server(socket, options: options, setup: setup, registry: registry)
        } catch {
            throw EndpointError(address: address, cause: error)
        }
    }
}
