// What sort of peer is on the far side: talkative, slow, silent, broken, or gone too soon.

import TronTestKit

@testable import Tron

/// How a peer is; drawn anew for each.
struct PeerCharacter {
    /// What it does after its last packet.
    enum Ending {
        /// Waits for the library to end the connection.
        case stays
        /// FIN, and gone: what comes after that is answered with RST.
        case finishes
        /// FIN, and goes on reading.
        case finishesAndListens
        case resets
        /// FIN in the middle of a packet.
        case truncates
    }

    /// How it takes what the library sends.
    enum Reading {
        case eager
        /// A few bytes now and then.
        case sips
        case never
    }

    /// Packets of its own, and the time between two.
    var packets: Int
    var gap: Int
    var length: Int
    var shortest = 0
    /// Whether its packets ask for an answer.
    var asks: Bool
    /// How many of a thousand times it asks for signs of life in place of a packet.
    var questions: Int
    var reading: Reading
    var ending: Ending
    /// After how many packets it sends one that is none.
    var malformedAfter: Int?
    /// How many of a thousand requests it answers, within how many milliseconds, and twice.
    var answers: Int
    var answerTime: Int
    var repeatsAnswers: Bool
    /// All its packets have the usual category.
    var isPlain: Bool
    /// Sends its bytes one by one.
    var trickles: Bool

    init(drawnFrom run: Run, isCaller: Bool) {
        let chance = run.chance
        packets = chance.pick(0, 1, 3, 10)
        gap = chance.pick(0, 1, 20, 300)
        length = chance.pick(0, 20, 20, 200, 6000)
        asks = isCaller && chance.hits(500)
        questions = chance.pick(0, 0, 500)
        reading = chance.pick(.eager, .eager, .eager, .sips, .never)
        // Answers that nobody reads fill what may wait.
        if questions > 0 && chance.hits(500) { reading = .never }
        ending = chance.pick(.stays, .stays, .finishes, .truncates)
        if run.faults.isOn(.reset) { ending = chance.pick(.resets, ending) }
        if run.faults.isOn(.halfClose) { ending = chance.pick(.finishesAndListens, ending) }
        if run.faults.isOn(.finish) { ending = chance.pick(.finishes, ending) }
        malformedAfter = chance.hits(100) ? chance.between(0, 4) : nil
        answers = chance.pick(1000, 1000, 700, 0)
        answerTime = run.faults.isOn(.lateAnswer) ? chance.pick(1, 50, 400) : chance.pick(0, 1, 20)
        repeatsAnswers = chance.hits(100)
        isPlain = chance.hits(500)
        trickles = chance.hits(60)
    }

    /// Most of those whose packets are relayed send some of 1 to 64 KiB, and read what comes back.
    mutating func becomeLarge(_ chance: Chance) {
        guard chance.hits(800) else { return }
        packets = chance.pick(1, 3, 6)
        shortest = 1 << 10
        length = chance.pick(2 << 10, 8 << 10, 32 << 10, 64 << 10)
        asks = false
        questions = 0
        trickles = false
        if chance.hits(700) { reading = .eager }
    }
}
