// What all parts of one run share: chance, clock, faults, trace, and the first failure.
import Glibc

/// The steps of a run's story; the trace's hash is made of them.
enum Step: UInt8 {
    case begins, wait, event, staleEvent, clockJumps, longHandler
    case socket, accept, connect, receive, send, shutdown, close, bind, control
    case arrives, finArrives, resetArrives, established, refused, partition
    case peerSends, peerEnds, peerFreezes
    case session, packet, bytes, frame, closed, writability, peerFinished, answered, failed
    case timer, submitted, soon, turnedDown, signal, dialed, state, drained, poke, ends, toldOfDrain
}

/// One run of the simulation. Belongs to one thread.
final class Run {
    let seed: UInt64
    let chance: Chance
    var faults: Faults
    private(set) var successes = Successes()
    /// The simulated clock, in nanoseconds.
    var clock: Int64 = 1_000_000_000
    /// The clock reading that the library's present turn uses.
    var turnStart: Int64 = 1_000_000_000
    /// How much of the time went by in handlers, or while the machine slept: what waits for others
    /// to be done is late by as much.
    var timeLost: Int64 = 0
    /// Whether one has been taken since the last wait.
    var isTurnTimed = false
    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var failure: String?
    private let isTold: Bool
    private let pulse: Pulse
    private var serials = 0

    init(seed: UInt64, isTold: Bool, _ pulse: Pulse) {
        self.pulse = pulse
        self.seed = seed
        self.isTold = isTold
        chance = Chance(seed: seed)
        faults = Faults(drawnFrom: chance)
    }

    /// A number that names one thing of this run.
    func nextSerial() -> Int {
        serials += 1
        return serials
    }

    /// A turn of the loop ends: the library comes back.
    func beat() { pulse.beat() }

    /// Adds a step to the trace.
    func note(_ step: Step, _ first: Int, _ second: Int = 0, _ why: @autoclosure () -> String = "")
    {
        hash = Chance.mix(hash ^ UInt64(step.rawValue))
        hash = (hash ^ UInt64(bitPattern: Int64(first))) &* 0x100_0000_01b3
        hash = (hash ^ UInt64(bitPattern: Int64(second))) &* 0x100_0000_01b3
        hash ^= UInt64(bitPattern: clock)
        if isTold { tell("\(step) \(first) \(second) \(why())") }
    }

    /// Says something in the story that is not part of the hash.
    func tell(_ text: @autoclosure () -> String) {
        guard isTold else { return }
        let microseconds = (clock - 1_000_000_000) / 1000
        let time = "\(microseconds / 1000).\(String(1000 + microseconds % 1000).dropFirst())"
        let padding = String(repeating: " ", count: max(0, 12 - time.count))
        Standard.error("\(padding)\(time) ms  \(text())")
    }

    /// Counts a fault that did something.
    func met(_ fault: Fault) { faults.count(fault) }

    /// Counts what went well.
    func met(_ success: Success) { successes.count(success) }

    func strikes(_ fault: Fault) -> Bool { faults.strikes(fault, chance) }

    /// The library broke a promise. The first one counts; it is printed at once, since what follows
    /// may end the process.
    func fail(_ message: @autoclosure () -> String) {
        guard failure == nil else { return }
        let text = message()
        failure = text
        Standard.error(
            "simulation: seed \(seed) failed: \(text)\n"
                + "simulation: repeat it with: .ci/simulate --seed \(seed) --trace")
        tell("FAILED: \(text)")
    }

    /// Time passes in which nothing is done.
    func lose(_ time: Int64) {
        clock += time
        timeLost += time
    }

    func expect(_ condition: Bool, _ message: @autoclosure () -> String) {
        if !condition { fail(message()) }
    }
}

/// Output that is complete when the process ends in the next moment.
enum Standard {
    static func error(_ line: String) { put(line, on: 2) }

    static func output(_ line: String) { put(line, on: 1) }

    private static func put(_ line: String, on descriptor: Int32) {
        let bytes = [UInt8]((line + "\n").utf8)
        _ = write(descriptor, bytes, bytes.count)
    }
}
