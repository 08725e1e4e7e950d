// What a load keeps of time: when packets are sent, when those in flight were, what was seen.
import Tron

/// What a load has seen since it was last asked.
struct Tally {
    /// Nanoseconds from when a packet was due to when its answer was checked.
    var latency = Histogram(significantBits: 10)
    var packets = 0
    var bytes = 0
    /// How late the generator itself was, at most, in nanoseconds; open loop alone.
    var lateness: UInt64 = 0
}

/// When packets are sent.
enum Pace {
    /// Each connection has so many in flight: an answer lets the next one go.
    case window(Int)
    /// So many a second over all connections, whatever the server does. A packet's latency
    /// counts from when it was due, so that a stall counts for all that it delayed.
    case rate(Double)
}

/// When the packets in flight on each connection were sent.
///
/// Packets that leave together, as all do that one answer lets go, are one entry: so they cost the
/// generator next to nothing.
struct SendTimes {
    private var batches: [Batch]
    private var rings: [Ring]
    private let mask: Int

    private struct Batch {
        var time: UInt64 = 0
        var packets = 0
    }

    /// Invariant: the entries from `head` to `tail`, both modulo the ring's size, are in flight;
    /// they are no more than the window has packets.
    private struct Ring {
        var head = 0
        var tail = 0
    }

    init(connections: Int, window: Int) {
        var size = 1
        while size < window { size *= 2 }
        mask = size - 1
        batches = Array(repeating: Batch(), count: connections * size)
        rings = Array(repeating: Ring(), count: connections)
    }

    private func place(_ connection: Int, _ number: Int) -> Int {
        connection * (mask + 1) + number & mask
    }

    mutating func append(_ packets: Int, at time: UInt64, connection: Int) {
        batches[place(connection, rings[connection].tail)] = Batch(time: time, packets: packets)
        rings[connection].tail += 1
    }

    /// Takes the oldest packets out, and counts how long each took.
    mutating func remove(
        _ packets: Int, answeredAt now: UInt64, connection: Int, into latency: inout Histogram
    ) {
        var rest = packets
        while rest > 0 {
            let place = place(connection, rings[connection].head)
            let count = min(rest, batches[place].packets)
            latency.record(now &- batches[place].time, times: UInt64(count))
            batches[place].packets -= count
            if batches[place].packets == 0 { rings[connection].head += 1 }
            rest -= count
        }
    }
}
