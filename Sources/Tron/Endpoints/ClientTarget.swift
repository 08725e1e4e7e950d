// What a client connects to, and how one is made.

extension Reactor {
    /// A client of the peer at `127.0.0.1:9000`, `[::1]:9000`, `/run/x.sock` or `name:9000`. It
    /// connects, and again whenever the connection is lost, with the delays of the backoff. `setup`
    /// is called for every new connection and installs its handlers, as with a server. On the
    /// loop's thread, or before it runs.
    ///
    /// Whatever is wrong with the address is reported as a state, like every other failure.
    @discardableResult
    public func makeClient(
        to address: String, reconnecting backoff: Backoff = Backoff(jitter: .equal),
        options: ClientOptions = ClientOptions(), setup: @escaping (Session) -> Void = { _ in }
    ) -> Client {
        makeClient(to: ClientTarget(address), backoff, options, setup)
    }

    /// A client of a peer that has several addresses, which are tried in turn.
    @discardableResult
    public func makeClient(
        to addresses: [SocketAddress], reconnecting backoff: Backoff = Backoff(jitter: .equal),
        options: ClientOptions = ClientOptions(), setup: @escaping (Session) -> Void = { _ in }
    ) -> Client {
        demand(!addresses.isEmpty, "Reactor.makeClient(to:) needs an address")
        return makeClient(to: .addresses(addresses), backoff, options, setup)
    }

    private func makeClient(
        to target: ClientTarget, _ backoff: Backoff, _ options: ClientOptions,
        _ setup: @escaping (Session) -> Void
    ) -> Client {
        registry.requireLoop("Reactor.makeClient(to:)")
        demand(!isFinished, "Reactor.makeClient(to:) was called after the reactor had stopped")
        let client = Client(target, backoff, options, setup, reactor: self)
        client.begin()
        return client
    }
}

extension Client {
    /// The addresses that it tries, in turn, from its next attempt on: for peers that tell of
    /// others. A connection that stands stays, and so does an attempt that has begun. Traps on
    /// none. On the loop's thread.
    public func setAddresses(_ addresses: [SocketAddress]) {
        registry.requireLoop("Client.setAddresses(_:)")
        demand(!addresses.isEmpty, "Client.setAddresses(_:) needs an address")
        target = .addresses(addresses)
    }
}

/// What a client connects to.
enum ClientTarget: CustomStringConvertible {
    case addresses([SocketAddress])
    case name(String, port: UInt16)
    case invalid(AddressError)

    init(_ text: String) {
        do throws(AddressError) {
            self = .addresses([try SocketAddress(text)])
        } catch {
            if let colon = text.lastIndex(of: ":"), error.reason == .hostName,
                let port = UInt16(text[text.index(after: colon)...])
            {
                self = .name(String(text[..<colon]), port: port)
            } else {
                self = .invalid(error)
            }
        }
    }

    var description: String {
        switch self {
        case .addresses(let addresses): addresses.map { "\($0)" }.joined(separator: ", ")
        case .name(let host, let port): "\(host):\(port)"
        case .invalid(let error): error.text
        }
    }
}
