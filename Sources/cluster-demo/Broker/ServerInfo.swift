// What a NATS server tells of itself in INFO: as much as a client of it has to know.
import Tron

/// What a server tells when a connection begins, and later whenever it changes.
struct ServerInfo: Equatable {
    /// The server's name, for people.
    var name = ""
    /// Bytes that a payload may have. As long as a server does not say, what is its default.
    var maximumPayload = BrokerLimits.payload
    /// Other servers of its cluster, and often itself: only those given as addresses.
    var servers: [SocketAddress] = []
    /// It is about to end, and its clients are to go elsewhere.
    var isLameDuck = false
    /// It talks only TLS, or only to those whom it knows: neither is spoken here.
    var requiresTLS = false
    var requiresAuthentication = false

    init() {}

    /// Reads the JSON of an INFO. What is not known is passed over.
    init(_ json: [UInt8]) throws(JSONFault) {
        var reader = JSONReader(json)
        var info = ServerInfo()
        try reader.readObject { reader, name throws(JSONFault) in
            switch name {
            case "server_name": info.name = try reader.readText()
            case "max_payload": info.maximumPayload = max(0, try reader.readInteger())
            case "ldm": info.isLameDuck = try reader.readFlag()
            case "tls_required": info.requiresTLS = try reader.readFlag()
            case "auth_required": info.requiresAuthentication = try reader.readFlag()
            case "connect_urls":
                try reader.readArray { reader throws(JSONFault) in
                    info.add(server: try reader.readText())
                }
            default: try reader.skipValue()
            }
        }
        guard reader.isAtEnd() else { throw .unexpected(at: reader.position) }
        self = info
    }

    /// A name would have to be resolved; servers of a cluster tell addresses.
    private mutating func add(server text: String) {
        guard servers.count < BrokerLimits.servers, let address = try? SocketAddress(text),
            !address.isUnix, !servers.contains(address)
        else { return }
        servers.append(address)
    }
}

/// What a server complains of with `-ERR`.
enum BrokerComplaint: Equatable, CustomStringConvertible {
    /// This node did not read what the server had for it. The server ends the connection; what it
    /// had is lost, which all sessions are told of once there is another.
    case slowConsumer
    /// The server heard no answer to its PING, and ends the connection.
    case staleConnection
    /// A subject may not be subscribed or published to. The connection goes on.
    case permissions(String)
    /// Something else. If the server ends the connection for it, that is told by its end.
    case other(String)

    init(_ text: String) {
        switch text.lowercased() {
        case "slow consumer": self = .slowConsumer
        case "stale connection": self = .staleConnection
        case let words where words.hasPrefix("permissions violation"): self = .permissions(text)
        default: self = .other(text)
        }
    }

    var description: String {
        switch self {
        case .slowConsumer: "slow consumer"
        case .staleConnection: "stale connection"
        case .permissions(let text), .other(let text): text
        }
    }
}
