// How peers come to be: they connect to a reactor, or a reactor connects to them.
import Tron

extension SimulatedNetwork {
    /// A peer that connects to the server at this address: `127.0.0.1:9000`, `[::1]:9000`,
    /// `unix:/run/x.sock`, or `name:9000` with a reactor's name. It stands once time has passed;
    /// what it is told to send before that waits.
    /// - Throws: `AddressError` when the text is no address.
    @discardableResult
    public func connect(to address: String, named name: String? = nil) throws -> SimulatedPeer {
        try connect(to: resolve(address), named: name)
    }

    /// The same for an address that is not a text.
    @discardableResult
    public func connect(
        to address: SocketAddress, named name: String? = nil
    ) -> SimulatedPeer {
        let place = makePlace(name ?? nextPeerName())
        let port = UInt16(10_000 + run.nextSerial() % 10_000)
        let end = network.makeEnd(
            isLibrary: false, local: .ipv4(host: place.host, port: port), at: place)
        end.remote = address
        end.phase = .connecting
        let peer = SimulatedPeer(end, network)
        network.after(end.latency) { [network] in network.knock(end, at: address) }
        return peer
    }

    /// A place where the reactors' clients find a scripted server: `script` is called with each
    /// connection.
    ///
    ///     try network.listen(on: "10.1.0.1:9000", named: "backend") { peer in
    ///         peer.onChange = { peer in … }
    ///     }
    /// - Throws: `AddressError` when the text is no address.
    public func listen(
        on address: String, named name: String, _ script: @escaping (SimulatedPeer) -> Void
    ) throws {
        scripts[try resolve(address)] = (makePlace(name), script)
    }

    /// What connects to that address from now on is refused.
    public func stopListening(on address: String) throws { scripts[try resolve(address)] = nil }

    func acceptAfar(_ end: End, _ address: SocketAddress) -> Bool {
        guard let (place, script) = scripts[address] else { return false }
        if network.isFar(end, from: place) {
            network.after(network.links.latency(end.place, place)) { [network] in
                network.knock(end, at: address)
            }
            return true
        }
        if network.links.isCut(end.place, place) {
            network.after(1_000_000_000) { [network] in network.knock(end, at: address) }
            return true
        }
        let far = network.makeEnd(isLibrary: false, local: address, at: place)
        far.remote = end.local
        let peer = SimulatedPeer(far, network)
        network.establish(end, far)
        script(peer)
        return true
    }

    private func resolve(_ text: String) throws(AddressError) -> SocketAddress {
        if let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]),
            let known = network.address(named: String(text[..<colon]))
        {
            return known.withPort(port)
        }
        return try SocketAddress(text)
    }
}
