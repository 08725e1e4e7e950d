// Whom a session is with: its peer, or the client of the proxy that is its peer.

/// Where a session's bytes come from.
enum Origin {
    /// What the kernel told.
    case peer(SocketAddress?)
    /// What the peer, a proxy, told.
    case client(ProxiedClient)

    var address: SocketAddress? {
        switch self {
        case .peer(let address): address
        case .client(let client): client.address
        }
    }
}

/// What a proxy told of its client, apart from the sessions of which most have none.
final class ProxiedClient {
    let connection: ProxiedConnection

    init(_ connection: ProxiedConnection) { self.connection = connection }

    /// The proxy's own, when it told no other.
    var address: SocketAddress? { connection.sourceAddress ?? connection.proxyAddress }
}

extension Session {
    var peer: SocketAddress? { origin.address }

    /// What a proxy told of this connection before its first byte; nil without
    /// `ServerOptions.proxyProtocol`. It stays when the session has ended.
    public var proxied: ProxiedConnection? {
        if case .client(let client) = origin { client.connection } else { nil }
    }

    /// Takes the bytes that were received behind a proxy's header. They are delivered in the next
    /// turn, before anything that comes later; and dropped if the session is closing already.
    func take(received bytes: UnsafeRawBufferPointer) {
        guard unsafe !bytes.isEmpty else { return }
        inbound.noteReceived(bytes.count, now: registry.now)
        unsafe keepRest(bytes, 0)
        if inbound.hasKept { wake() }
    }
}
