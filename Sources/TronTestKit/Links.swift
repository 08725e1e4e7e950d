// Where ends of connections are, and what lies between: cuts, delays, narrow ways.
import Tron

/// A computer of the simulated network. Two of the same name are still two.
package final class Place: Sendable {
    package let name: String
    /// Its IPv4 address; 0 where nobody asks.
    package let host: UInt32

    package init(_ name: String, host: UInt32) {
        self.name = name
        self.host = host
    }

    /// Where places make no difference.
    package static let somewhere = Place("somewhere", host: 0)

    package func has(_ address: SocketAddress) -> Bool {
        if case .ipv4(let host, _) = address { host == self.host } else { false }
    }
}

extension SocketAddress {
    /// 0.0.0.0 or [::]: every address of the computer that listens.
    var isEveryHost: Bool {
        switch self {
        case .ipv4(let host, _): host == 0
        case .ipv6(let high, let low, _, _): high == 0 && low == 0
        case .unix: false
        }
    }

    /// 127.0.0.0/8 or [::1].
    var isLoopback: Bool {
        switch self {
        case .ipv4(let host, _): host >> 24 == 127
        case .ipv6(let high, let low, _, _): high == 0 && low == 1
        case .unix: false
        }
    }
}

/// What a new end of a connection is like.
package struct EndShape {
    package var inboxCapacity: Int
    package var outboxCapacity: Int
    /// How long what it sends takes, in nanoseconds.
    package var latency: Int64

    package init(inboxCapacity: Int, outboxCapacity: Int, latency: Int64) {
        self.inboxCapacity = inboxCapacity
        self.outboxCapacity = outboxCapacity
        self.latency = latency
    }

    /// Awkward ones.
    package init(drawnFrom chance: Chance) {
        inboxCapacity = chance.pick(16, 300, 4000, 40_000)
        outboxCapacity = chance.pick(16, 300, 4000, 40_000)
        latency = chance.time(upToMilliseconds: chance.pick(1, 1, 20))
    }
}

/// How long a kernel stays with a connection on which nothing arrives, in nanoseconds.
package struct Keeping {
    /// Bytes that are not acknowledged are sent again for so long: tcp(7), tcp_retries2.
    static let retransmissionTime: Int64 = 924_600_000_000

    package var isOn = false
    package var idle: Int64 = 7_200_000_000_000
    package var interval: Int64 = 75_000_000_000
    package var probes: Int64 = 9
    /// TCP_USER_TIMEOUT.
    package var userTimeout: Int64?
    /// TCP_NODELAY.
    package var sendsAtOnce = false

    package init() {}

    /// After which silence an idle connection is given up; nil for never.
    package var time: Int64? { isOn ? idle + interval * probes : nil }
}

/// The ways between places, by their names, in both directions alike.
package struct Links {
    /// Bytes that a narrow way takes at once.
    static let segment = 1460

    private struct Pair: Hashable {
        let first: String
        let second: String

        init(_ one: String, _ other: String) {
            (first, second) = one < other ? (one, other) : (other, one)
        }
    }

    private var cuts: Set<Pair> = []
    private var delays: [Pair: Int64] = [:]
    private var rates: [Pair: Int] = [:]

    package mutating func set(cut: Bool, _ one: String, _ other: String) {
        if cut { cuts.insert(Pair(one, other)) } else { cuts.remove(Pair(one, other)) }
    }

    package mutating func healAll() { cuts = [] }

    package mutating func set(latency: Int64, bytesPerSecond: Int?, _ one: String, _ other: String)
    {
        delays[Pair(one, other)] = latency
        rates[Pair(one, other)] = bytesPerSecond
    }

    package func isCut(_ one: Place, _ other: Place) -> Bool {
        !cuts.isEmpty && cuts.contains(Pair(one.name, other.name))
    }

    package func latency(_ one: Place, _ other: Place) -> Int64 {
        delays.isEmpty ? 0 : delays[Pair(one.name, other.name)] ?? 0
    }

    package func bytesPerSecond(_ one: Place, _ other: Place) -> Int? {
        rates.isEmpty ? nil : rates[Pair(one.name, other.name)]
    }
}
