// What the oracle adds to a run of the kit: its own steps, and where the story is told.
import TronTestKit

extension Step {
    static let begins = Step(64, "begins")
    static let longHandler = Step(65, "longHandler")
    static let peerSends = Step(66, "peerSends")
    static let peerEnds = Step(67, "peerEnds")
    static let peerFreezes = Step(68, "peerFreezes")
    static let session = Step(69, "session")
    static let packet = Step(70, "packet")
    static let bytes = Step(71, "bytes")
    static let closed = Step(72, "closed")
    static let writability = Step(73, "writability")
    static let peerFinished = Step(74, "peerFinished")
    static let answered = Step(75, "answered")
    static let failed = Step(76, "failed")
    static let timer = Step(77, "timer")
    static let submitted = Step(78, "submitted")
    static let signal = Step(79, "signal")
    static let dialed = Step(80, "dialed")
    static let state = Step(81, "state")
    static let drained = Step(82, "drained")
    static let poke = Step(83, "poke")
    static let ends = Step(84, "ends")
    static let toldOfDrain = Step(85, "toldOfDrain")
    static let frame = Step(86, "frame")
    static let soon = Step(87, "soon")
    static let faultTold = Step(89, "faultTold")
    static let turnedDown = Step(88, "turnedDown")
}

extension Run {
    /// Its faults are drawn; the first promise that is broken is printed with the seed.
    convenience init(seed: UInt64, isTold: Bool, _ pulse: Pulse) {
        self.init(
            seed: seed, faults: { Faults(drawnFrom: $0) },
            teller: isTold ? { Standard.error($0) } : nil)
        tallies = [Int](repeating: 0, count: Success.allCases.count)
        turnEnded = pulse.beat
        var isFirst = true
        failed = { text in
            guard isFirst else { return }
            isFirst = false
            Standard.error(
                "simulation: seed \(seed) failed: \(text)\n"
                    + "simulation: repeat it with: .ci/simulate --seed \(seed) --trace")
        }
    }

    /// Counts what went well.
    func met(_ success: Success) { tallies[success.place] += 1 }
}
