// How many sessions each host has, where their number is limited.

/// Sessions by host (`ServerLimits.maximumSessionsPerAddress`).
struct AddressCounts {
    private var counts: [SocketAddress.HostKey: Int] = [:]

    /// Adds a session of this host. False, and nothing is added, above the limit.
    mutating func enter(_ host: SocketAddress.HostKey, limit: Int) -> Bool {
        let count = counts[host, default: 0]
        guard count < limit else { return false }
        counts[host] = count + 1
        return true
    }

    /// Takes a session of this host off.
    mutating func leave(_ host: SocketAddress.HostKey) {
        guard let count = counts[host] else { return }
        counts[host] = count > 1 ? count - 1 : nil
    }
}
