// What all parts of one run share: chance, clock, faults, trace, and the first failure.

/// A kind of step of a run's story; the trace's hash is made of them.
package struct Step: Equatable, CustomStringConvertible, Sendable {
    package let number: UInt8
    package let name: StaticString

    /// The machine has the numbers below 64; the others are for whoever drives the run.
    package init(_ number: UInt8, _ name: StaticString) {
        self.number = number
        self.name = name
    }

    package var description: String { "\(name)" }

    package static func == (left: Step, right: Step) -> Bool { left.number == right.number }

    static let wait = Step(1, "wait")
    static let event = Step(2, "event")
    static let staleEvent = Step(3, "staleEvent")
    static let clockJumps = Step(4, "clockJumps")
    static let socket = Step(5, "socket")
    static let accept = Step(6, "accept")
    static let connect = Step(7, "connect")
    static let receive = Step(8, "receive")
    static let send = Step(9, "send")
    static let shutdown = Step(10, "shutdown")
    static let close = Step(11, "close")
    static let bind = Step(12, "bind")
    static let control = Step(13, "control")
    static let arrives = Step(14, "arrives")
    static let finArrives = Step(15, "finArrives")
    static let resetArrives = Step(16, "resetArrives")
    static let established = Step(17, "established")
    static let refused = Step(18, "refused")
    static let partition = Step(19, "partition")
    static let call = Step(20, "call")
}

/// One run of the simulation. Belongs to one thread.
package final class Run {
    package let seed: UInt64
    package let chance: Chance
    package var faults: Faults
    /// Where the clock begins: not at nothing, which would hide what mistakes it for unset.
    static let beginning: Int64 = 1_000_000_000
    /// Whose turn it is, for the story.
    package var speaker: String?
    /// The simulated clock, in nanoseconds.
    package var clock = Run.beginning
    /// The clock reading that the library's present turn uses.
    package var turnStart = Run.beginning
    /// How much of the time went by in handlers, or while the machine slept: what waits for others
    /// to be done is late by as much.
    package private(set) var timeLost: Int64 = 0
    /// Whether one has been taken since the last wait.
    package var isTurnTimed = false
    package private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    package private(set) var failure: String?
    /// Takes each line of the story; nil where nobody listens.
    private let teller: ((String) -> Void)?
    /// Called with each promise that is broken.
    package var failed: (String) -> Void = { _ in }
    /// What whoever drives the run counts beside the faults.
    package var tallies: [Int] = []
    /// Called when a turn of a loop has ended.
    package var turnEnded: () -> Void = {}
    private var serials = 0

    package init(
        seed: UInt64, faults: (Chance) -> Faults, teller: ((String) -> Void)?
    ) {
        self.seed = seed
        self.teller = teller
        chance = Chance(seed: seed)
        self.faults = faults(chance)
    }

    /// A number that names one thing of this run.
    package func nextSerial() -> Int {
        serials += 1
        return serials
    }

    /// Adds a step to the trace.
    package func note(
        _ step: Step, _ first: Int, _ second: Int = 0, _ why: @autoclosure () -> String = ""
    ) {
        hash = Chance.mix(hash ^ UInt64(step.number))
        hash = (hash ^ UInt64(bitPattern: Int64(first))) &* 0x100_0000_01b3
        hash = (hash ^ UInt64(bitPattern: Int64(second))) &* 0x100_0000_01b3
        hash ^= UInt64(bitPattern: clock)
        if teller != nil { tell("\(step) \(first) \(second) \(why())") }
    }

    /// Says something in the story that is not part of the hash.
    package func tell(_ text: @autoclosure () -> String) {
        guard let teller else { return }
        let microseconds = (clock - Self.beginning) / 1000
        let time = "\(microseconds / 1000).\(String(1000 + microseconds % 1000).dropFirst())"
        let padding = String(repeating: " ", count: max(0, 12 - time.count))
        teller("\(padding)\(time) ms  \(speaker.map { "\($0): " } ?? "")\(text())")
    }

    /// Counts a fault that did something.
    package func met(_ fault: Fault) { faults.count(fault) }

    /// Time passes in which nothing is done.
    package func lose(_ time: Int64) {
        clock += time
        timeLost += time
    }

    package func strikes(_ fault: Fault) -> Bool { faults.strikes(fault, chance) }

    /// A promise is broken. The first one counts; it is told at once, since what follows may end
    /// the process.
    package func fail(_ message: @autoclosure () -> String) {
        let text = message()
        tell("FAILED: \(text)")
        if failure == nil { failure = text }
        failed(text)
    }

    package func expect(_ condition: Bool, _ message: @autoclosure () -> String) {
        if !condition { fail(message()) }
    }
}
