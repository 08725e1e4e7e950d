// Host names to addresses: getaddrinfo(3).
internal import CEpollShim

/// A host name for which no address was found.
public struct ResolutionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name.
    public let host: String

    /// What gai_strerror(3) says of the failure.
    public let message: String

    /// `example.org: Name or service not known`.
    public var description: String { "\(host): \(message)" }

    package init(host: String, message: String) {
        self.host = host
        self.message = message
    }

    /// More addresses of one name than anybody tries.
    private static let maximumAddresses = 16

    /// Asks the system, with port 0 in the answers. Blocks, for seconds where a name server is
    /// silent.
    static func addresses(of host: String) -> Result<[SocketAddress], ResolutionError> {
        let stride = Int(tron_address_capacity())
        return unsafe withUnsafeTemporaryAllocation(
            byteCount: stride * maximumAddresses, alignment: 8
        ) { storages in
            let base = unsafe storages.baseAddress.unsafelyUnwrapped
            var count: Int32 = 0
            let code = unsafe tron_resolve(host, base, Int32(maximumAddresses), &count)
            guard code == 0 else {
                let message = unsafe String(cString: tron_resolve_message(code))
                return .failure(ResolutionError(host: host, message: message))
            }
            let addresses = (0..<Int(count)).compactMap { index in
                unsafe SocketAddress(raw: base + index * stride, length: UInt32(stride))
            }
            return .success(addresses)
        }
    }
}
