// Notices a library that never comes back: no turn ends while its thread works on and on.
import Glibc
import Synchronization
import TronTestKit

/// The turns of the run that one thread is at.
final class Pulse: Sendable {
    private let beats = Atomic(0)
    private let seed = Atomic<UInt64>(0)
    /// The clock of the thread's own time; 0 while there is none.
    private let clock = Atomic<clockid_t>(0)

    /// The calling thread begins a run.
    func begins(_ seed: UInt64) {
        self.seed.store(seed, ordering: .relaxed)
        var own = clockid_t()
        if pthread_getcpuclockid(pthread_self(), &own) == 0 { clock.store(own, ordering: .relaxed) }
        beat()
    }

    func beat() { beats.add(1, ordering: .relaxed) }

    /// The thread begins no further run.
    func ends() { clock.store(0, ordering: .relaxed) }

    /// What has been seen of it.
    struct Sight {
        var beats = 0
        var time: Int64 = 0
    }

    /// Looks whether the thread has worked for so many nanoseconds, as its own clock counts them,
    /// without a beat: then the seed.
    func stuck(since sight: inout Sight, for limit: Int64) -> UInt64? {
        let clock = clock.load(ordering: .relaxed)
        guard clock != 0, let time = Self.time(of: clock) else { return nil }
        let now = beats.load(ordering: .relaxed)
        if now != sight.beats { sight = Sight(beats: now, time: time) }
        return time - sight.time > limit ? seed.load(ordering: .relaxed) : nil
    }

    /// Nil when the thread is no more.
    private static func time(of clock: clockid_t) -> Int64? {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return nil }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Ends the process, and names the seed, when a thread works for so long without ending a turn.
///
/// The longest turn takes some milliseconds of processor time, and under a sanitizer a hundred: so
/// however busy the machine is, a sound library is never taken for one that loops.
enum Watchdog {
    private static let limit: Int64 = 30_000_000_000

    static func begin(_ pulses: [Pulse]) {
        let watch = Watch(pulses)
        // It goes on for as long as the process does, and costs nothing.
        _ = Worker { watch.look() }
    }

    private final class Watch {
        private let pulses: [Pulse]
        private var sights: [Pulse.Sight]

        init(_ pulses: [Pulse]) {
            self.pulses = pulses
            sights = pulses.map { _ in Pulse.Sight() }
        }

        func look() {
            while true {
                sleep(1)
                for index in pulses.indices {
                    guard let seed = pulses[index].stuck(since: &sights[index], for: limit) else {
                        continue
                    }
                    Standard.error(
                        "simulation: seed \(seed) failed: the loop goes on without ending a turn")
                    abort()
                }
            }
        }
    }
}
