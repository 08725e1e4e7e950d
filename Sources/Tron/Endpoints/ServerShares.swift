// What the servers have together that several reactors have on one address: balance and limits.
import Synchronization

/// One for all the servers of an address, of which each reactor has one. Says who takes a
/// connection, and bounds them all together.
final class ServerShares: Sendable {
    /// Sessions of each server, those without a PROXY header yet included.
    let counts: SharedCounts
    /// Whether one of them accepts for all, since there is one listening socket: then each
    /// connection goes to whoever has the fewest.
    let areDealt: Bool
    /// Sessions and connections that are to become some, of all servers.
    private let places = Atomic(0)
    private let addresses = Locked(AddressCounts())
    private let remotes: Locked<[RemoteReactor?]>

    init(count: Int, areDealt: Bool) {
        self.areDealt = areDealt
        counts = SharedCounts(count: count)
        remotes = Locked(Array(repeating: nil, count: count))
    }

    /// The server of this reactor listens: others may send it connections.
    func join(_ index: Int, _ remote: RemoteReactor) {
        remotes.withLock { $0[index] = remote }
        counts.open(index)
    }

    func remote(_ index: Int) -> RemoteReactor? { remotes.withLock { $0[index] } }

    // MARK: Limits

    /// Takes a place for a connection; false where `limit` are taken.
    func takePlace(atMost limit: Int) -> Bool {
        if places.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
        leavePlace()
        return false
    }

    func leavePlace() { places.wrappingSubtract(1, ordering: .relaxed) }

    func enter(_ host: SocketAddress.HostKey, limit: Int) -> Bool {
        addresses.withLock { $0.enter(host, limit: limit) }
    }

    func leave(_ host: SocketAddress.HostKey) { addresses.withLock { $0.leave(host) } }

    // MARK: Balance

    /// Who is to take a connection that the server of this index has accepted; nil where itself is.
    func taker(insteadOf index: Int) -> Int? {
        let own = counts[index]
        var least = own
        var taker: Int?
        // From the next one on: of several with the fewest not always the same.
        for step in 1..<counts.count {
            let other = (index + step) % counts.count
            let count = counts[other]
            guard count < least, counts.isOpen(other) else { continue }
            least = count
            taker = other
        }
        return own + 1 > least + (areDealt ? 0 : Self.tolerance(least)) ? taker : nil
    }

    /// How many more sessions than the others a server may have that accepts for itself. A few
    /// connections are spread as exactly as that. Of many, which the kernel spreads by chance, the
    /// square root is the size of what chance brings about: to even out less would hand over much
    /// and win little.
    static func tolerance(_ least: Int) -> Int {
        max(4, Int(2 * Double(least).squareRoot()))
    }
}

/// A server's place among the servers of its address.
struct ServerShare {
    let shares: ServerShares
    let index: Int

    /// Whether others have sent it what has not come yet.
    var isSentMore: Bool { shares.counts.coming(index) > 0 }

    /// Nothing is sent to it any more.
    func close() { shares.counts.close(index) }
}
