// A listening socket of a simulated kernel, and the connections that wait there.
import Tron

/// A listening socket of the library.
package final class Listener {
    package let address: SocketAddress
    package let backlog: Int
    package let place: Place
    /// What the connections inherit.
    let keepalive: Keeping
    /// Whether others may have the address that say the same.
    let reusesPort: Bool
    /// Connections that the kernel has made and nobody accepted.
    package var queue: [End] = []
    /// What asks for a new connection is dropped (a filter), or refused (a Unix socket's shutdown).
    var dropsNew = false
    var refusesNew = false
    /// Since when connections wait while the library does not look.
    package var deafSince: Int64?
    /// How many sessions had been closed when the library looked away.
    package var closedSessionsWhenDeaf = 0
    private var burstSize = 0
    private var burstTime: Int64 = 0

    package init(
        _ address: SocketAddress, backlog: Int, at place: Place = .somewhere,
        keepalive: Keeping = Keeping(), reusesPort: Bool = false
    ) {
        self.address = address
        self.place = place
        self.keepalive = keepalive
        self.reusesPort = reusesPort
        self.backlog = max(1, backlog)
    }

    /// Whether it has a connection for accept4(2).
    package var isReady: Bool { !queue.isEmpty }

    /// Adds a connection; true when it makes a burst of five within a millisecond.
    package func add(_ end: End, at time: Int64) -> Bool {
        queue.append(end)
        if time - burstTime > 1_000_000 {
            burstSize = 0
            burstTime = time
        }
        burstSize += 1
        return burstSize == 5
    }
}
