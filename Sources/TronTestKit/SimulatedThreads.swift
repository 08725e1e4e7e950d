// What else the library has from its machine: names, randomness, threads and other processes, of
// which there are none here.
import Glibc
import Synchronization
import Tron

extension SimulatedKernel {
    package func resolve(_ host: String) -> Result<[SocketAddress], ResolutionError> {
        let address = network.address(named: host)
        return address.map { .success([$0]) }
            ?? .failure(ResolutionError(host: host, message: "Name or service not known"))
    }

    /// No process hands over what it listens on.
    package func adoptListener(_ descriptor: Int32) -> Int { -Int(EINVAL) }

    /// A supervisor that listens to everything.
    package func sendDatagram(
        _ address: UnsafeRawPointer, _ length: UInt32, _ bytes: UnsafeRawPointer, _ count: Int
    ) -> Int { count }

    package func randomSeed() -> UInt64 { run.chance.next() }

    /// What another thread would do happens between the loop's turns, all of it at once.
    package func startThread(_ body: @escaping @Sendable () -> Void) -> Int {
        network.after(run.chance.time(upToMilliseconds: 20)) { body() }
        return 0
    }

    /// Whoever drives the loop does it on the calling thread from now on.
    package func adoptThread() { elsewhere.adoptThread() }

    /// How often other threads have woken the loop since the last call. They do it in real time, so
    /// that no seed says when.
    package func takeWakeupsFromElsewhere() -> Int { elsewhere.take() }

    package var seesEveryWakeup: Bool { isStepped }
}

/// What other threads than the simulation's have written to an eventfd.
final class WorkFromElsewhere: Sendable {
    private let own = Atomic<UInt>(0)
    private let wakeups = Atomic(0)

    private static var current: UInt { UInt(pthread_self()) }

    func adoptThread() { own.store(Self.current, ordering: .relaxed) }

    var isElsewhere: Bool { own.load(ordering: .relaxed) != Self.current }

    /// What write(2) would return.
    func note() -> Int {
        wakeups.add(1, ordering: .relaxed)
        return MemoryLayout<UInt64>.size
    }

    func take() -> Int { wakeups.exchange(0, ordering: .relaxed) }
}

extension Keeping {
    /// What setsockopt(2) has been told.
    mutating func set(level: Int32, name: Int32, to value: Int32) {
        let second: Int64 = 1_000_000_000
        switch (level, name) {
        case (SOL_SOCKET, SO_KEEPALIVE): isOn = value != 0
        case (Int32(IPPROTO_TCP), TCP_KEEPIDLE): idle = Int64(value) * second
        case (Int32(IPPROTO_TCP), TCP_KEEPINTVL): interval = Int64(value) * second
        case (Int32(IPPROTO_TCP), TCP_KEEPCNT): probes = Int64(value)
        case (Int32(IPPROTO_TCP), TCP_USER_TIMEOUT): userTimeout = Int64(value) * 1_000_000
        default: break
        }
    }
}
