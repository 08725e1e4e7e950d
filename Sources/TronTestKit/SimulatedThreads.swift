// What else the library has from its machine: names, randomness, threads and other processes, of
// which there are none here.
import Glibc
import Synchronization
import Tron

extension SimulatedKernel {
    package func resolve(_ host: String) -> Result<[SocketAddress], ResolutionError> {
        if run.strikes(.lookupFails) {
            run.met(.lookupFails)
            let message = "Temporary failure in name resolution"
            return .failure(ResolutionError(host: host, message: message))
        }
        let addresses = network.addresses(named: host)
        if addresses.isEmpty {
            return .failure(ResolutionError(host: host, message: "Name or service not known"))
        }
        return .success(addresses)
    }

    /// No process hands over what it listens on.
    package func adoptListener(_ descriptor: Int32) -> Int { -Int(EINVAL) }

    /// A supervisor that listens to everything.
    package func sendDatagram(
        _ address: UnsafeRawPointer, _ length: UInt32, _ bytes: UnsafeRawPointer, _ count: Int
    ) -> Int { count }

    package func randomSeed() -> UInt64 { run.chance.next() }

    /// What another thread does happens between the loop's turns, all of it at once. A loop that
    /// waits itself is woken by its eventfd, so that it has to come from another thread in fact.
    package func startThread(_ body: @escaping @Sendable () -> Void) -> Int {
        if run.strikes(.noBuffers) {
            run.met(.noBuffers)
            return -Int(EAGAIN)
        }
        network.after(run.chance.time(upToMilliseconds: 20)) { [self] in
            if isStepped || runsThreadsHere { return body() }
            // Whoever is refused the wake-up does not make up for it: nothing follows.
            refusesWakeups = false
            OtherThread.runOnce(body)
            refusesWakeups = true
        }
        return 0
    }

    /// Whoever drives the loop does it on the calling thread from now on.
    package func adoptThread() { elsewhere.adoptThread() }

    /// How often other threads have woken the loop since the last call. They do it in real time, so
    /// that no seed says when.
    package func takeWakeupsFromElsewhere() -> Int { elsewhere.take() }

    package var seesEveryWakeup: Bool { isStepped }
}

/// A thread that has ended when the call returns: so that every repetition does the same.
enum OtherThread {
    private final class Body {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func runOnce(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
        precondition(code == 0, "no thread is to be had")
        pthread_join(thread, nil)
    }
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
        case (Int32(IPPROTO_TCP), TCP_NODELAY): sendsAtOnce = value != 0
        default: break
        }
    }
}
