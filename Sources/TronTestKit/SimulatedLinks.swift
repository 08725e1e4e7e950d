// What lies between reactors and peers: partitions, slow and narrow ways.
import Tron

extension SimulatedNetwork {
    /// Cuts the network between two reactors or peers, by their names: nothing passes in either
    /// direction, and nobody is told. What is sent meanwhile arrives after `heal`, unless a kernel
    /// has given the connection up by then.
    public func partition(_ one: String, from other: String) {
        run.tell("the network is cut between \(one) and \(other)")
        network.links.set(cut: true, one, other)
        network.linksChanged()
    }

    /// Cuts one of them off from all that there is now.
    public func isolate(_ name: String) {
        run.tell("the network is cut around \(name)")
        for place in network.places where place.name != name {
            network.links.set(cut: true, name, place.name)
        }
        network.linksChanged()
    }

    /// Ends a partition.
    public func heal(_ one: String, _ other: String) {
        run.tell("the network is whole between \(one) and \(other)")
        network.links.set(cut: false, one, other)
        network.linksChanged()
    }

    /// Ends all partitions.
    public func heal() {
        run.tell("the network is whole")
        network.links.healAll()
        network.linksChanged()
    }

    /// Makes the way between two reactors or peers long, and narrow where a rate is given. Without
    /// this a way takes about a tenth of a millisecond, and is as wide as the sockets' buffers.
    public func setLink(
        between one: String, and other: String, latency: Duration, bytesPerSecond: Int? = nil
    ) {
        precondition(bytesPerSecond.map { $0 > 0 } ?? true, "a way has at least a byte a second")
        run.tell("the way between \(one) and \(other) takes \(latency)")
        network.links.set(
            latency: latency.clampedNanoseconds, bytesPerSecond: bytesPerSecond, one, other)
    }
}
