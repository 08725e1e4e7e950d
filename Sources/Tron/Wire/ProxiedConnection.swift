// What a PROXY header tells of the connection that a proxy passes on.

/// What a proxy told of the connection that it passes on (PROXY protocol, version 1 or 2).
///
/// The texts are bytes as they came: they need not be UTF-8, and say what the proxy was told by its
/// client. Of a value that a header has twice the first counts.
public struct ProxiedConnection: Hashable, Sendable {
    /// 1, the line of text, or 2.
    public let version: Int

    /// Whether the proxy connected for itself, for a health check say, and not for a client.
    public internal(set) var isLocal = false

    /// The proxy's own address, as the kernel told it.
    public internal(set) var proxyAddress: SocketAddress?

    /// The client's address; nil when the proxy did not tell it, or has none to tell.
    public internal(set) var sourceAddress: SocketAddress?

    /// The address that the client connected to; nil as for the source.
    public internal(set) var destinationAddress: SocketAddress?

    /// The protocol that was negotiated with the client above TLS: `h2`.
    public internal(set) var alpn: [UInt8]?

    /// The host that the client named, by TLS' SNI for example. At most 255 bytes.
    public internal(set) var authority: [UInt8]?

    /// What the proxy calls the connection. At most 128 bytes.
    public internal(set) var uniqueID: [UInt8]?

    /// The client's TLS, which the proxy ended; nil when there was none or nothing was told of it.
    public internal(set) var tls: TLS?

    init(version: Int) { self.version = version }

    /// The client's TLS, as the proxy saw it.
    public struct TLS: Hashable, Sendable {
        /// Whether the client showed a certificate, in this connection or in the TLS session that
        /// it resumed.
        public internal(set) var hasCertificate = false

        /// Whether the client showed a certificate and the proxy verified it.
        public internal(set) var isVerified = false

        /// The version: `TLSv1.3`.
        public internal(set) var version: [UInt8]?

        /// The common name of the client certificate's subject. It identifies nobody unless
        /// `isVerified`.
        public internal(set) var commonName: [UInt8]?

        /// The cipher: `TLS_AES_256_GCM_SHA384`.
        public internal(set) var cipher: [UInt8]?

        /// The algorithm that signed the proxy's certificate: `SHA256`.
        public internal(set) var signatureAlgorithm: [UInt8]?

        /// The kind of the proxy's key: `RSA2048`.
        public internal(set) var keyAlgorithm: [UInt8]?

        /// The group of the key exchange: `x25519`.
        public internal(set) var group: [UInt8]?

        /// The scheme by which the handshake was signed.
        public internal(set) var signatureScheme: [UInt8]?

        /// The client's certificate, DER.
        public internal(set) var certificate: [UInt8]?
    }
}
