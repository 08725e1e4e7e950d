// The far side of a connection: sends, answers, dawdles, breaks the protocol, and goes.

import TronTestKit

@testable import Tron

/// One far end and whoever is behind it.
final class Peer {
    let end: End
    let run: Run
    let network: Transport
    var character: PeerCharacter
    private var reader = WireReader()
    /// Written and not yet taken by the socket.
    var pending = ByteQueue()
    /// What is left of its header, if it is a proxy or says so: before all else.
    private var opening: ArraySlice<UInt8>
    private var isOpening = false
    private var sent = 0
    private var sequence: Int32 = 0
    private var frozenUntil: Int64 = 0
    private var isReadPlanned = false
    /// Its stream ends within a packet: nothing may follow.
    var isCut = false
    var isGone = false

    init(_ end: End, _ network: Transport, isCaller: Bool, isRelayed: Bool = false) {
        self.end = end
        self.network = network
        run = network.run
        opening = end.header?.bytes[...] ?? []
        character = PeerCharacter(drawnFrom: run, isCaller: isCaller)
        if isRelayed { character.becomeLarge(run.chance) }
        end.changed = { self.changed() }
    }

    /// The first packet comes after a while, or after the header.
    func begin() {
        if opening.isEmpty { planNext() }
    }

    private func planNext() {
        network.after(run.chance.time(upToMilliseconds: character.gap)) { self.act() }
    }

    private func act() {
        guard !isGone, end.phase == .connected else { return }
        if frozenUntil > run.clock {
            return network.after(frozenUntil - run.clock) { self.act() }
        }
        if run.strikes(.freeze) { freeze() }
        if sent == character.malformedAfter { sendMalformed() }
        guard sent < character.packets else { return finish() }
        sent += 1
        sendPacket()
        planNext()
    }

    /// Neither reads nor writes for a while.
    private func freeze() {
        frozenUntil = run.clock + run.chance.time(upToMilliseconds: run.chance.pick(10, 5000))
        run.note(.peerFreezes, end.serial)
        run.met(.freeze)
        network.after(frozenUntil - run.clock) { self.changed() }
    }
}

// MARK: - Sending

extension Peer {
    /// Sends the next part of its header.
    private func open() {
        isOpening = true
        guard !isGone, end.phase == .connected else { return }
        let count = run.chance.hits(500) ? opening.count : run.chance.between(1, opening.count)
        run.note(.peerSends, end.serial, count, "of its PROXY header")
        pending.append(opening.prefix(count))
        opening.removeFirst(count)
        push()
        guard opening.isEmpty else {
            let pause = run.chance.pick(1, 20, 300, 6000)
            return network.after(run.chance.time(upToMilliseconds: pause)) { self.open() }
        }
        guard case .cut = end.header?.meaning else { return planNext() }
        // Its user waits for the rest, and may go.
        isCut = true
        if run.chance.hits(500) { endWriting() }
    }

    private func sendPacket() {
        if run.chance.hits(character.questions) { return sendQuestions() }
        let number = UInt64(run.nextSerial())
        let length = run.chance.between(character.shortest, character.length)
        if character.asks && run.chance.hits(700) {
            sequence += 1
            let packet = WirePacket(
                sequence: sequence, category: WirePacket.request, number: number,
                length: length + 8)
            return write(packet)
        }
        let category =
            character.isPlain ? WirePacket.usual : WirePacket.plain + UInt8(run.chance.below(240))
        write(WirePacket(sequence: -1, category: category, number: number, length: length))
    }

    /// Asks for so many signs of life that the answers may not fit.
    private func sendQuestions() {
        for _ in 0..<run.chance.pick(1, 20, 100) {
            write(WirePacket(sequence: -1, category: WirePacket.heartbeat, number: 0, length: 1))
        }
    }

    private func write(_ packet: WirePacket) {
        guard !isCut else { return }
        run.note(.peerSends, end.serial, packet.length, "\(packet)")
        let wire = packet.wireBytes
        end.log.append(packet, wire)
        pending.append(wire)
        push()
    }

    private func sendMalformed() {
        guard !isCut else { return }
        run.note(.peerSends, end.serial, -1, "a malformed packet")
        character.malformedAfter = nil
        if run.chance.hits(500) {
            let wire = WirePacket.wireBytes(-1, 77, [1, 2, 3]).dropLast(2) + [10, 13]
            end.log.appendMalformed(Array(wire), .badTrailer(0x0a0d))
            pending.append(wire)
        } else {
            let length: UInt32 = run.chance.pick(1 << 20, 1 << 31, .max)
            let wire = [0, 0, 0, 1, 77] + WirePacket.bigEndian(length)
            end.log.appendMalformed(wire, .tooLong)
            pending.append(wire)
        }
        push()
    }

    /// Gives the socket what it takes.
    func push() {
        guard end.phase == .connected, !end.writingEnded else { return }
        let most = character.trickles ? min(1, pending.count) : pending.count
        guard most > 0 else { return }
        let taken = network.send(end, pending.content.prefix(most))
        pending.take(taken) { _ in }
        if character.trickles && !pending.isEmpty && taken > 0 {
            network.after(run.chance.time(upToMilliseconds: 2)) { self.push() }
        }
    }

    private func answer(_ sequence: Int32, _ number: UInt64) {
        let length = 8 + run.chance.below(character.length + 1)
        write(
            WirePacket(
                sequence: sequence, category: WirePacket.request,
                number: number | WirePacket.answerBit, length: length))
        if run.faults.isOn(.lateAnswer) && run.chance.hits(200) { answerNobody(like: sequence) }
    }

    /// An answer whose sequence nobody waits under, though its low bits are those of one that does.
    private func answerNobody(like sequence: Int32) {
        let stray = (sequence &+ run.chance.pick(1 << 12, -(1 << 12), 1 << 20)) & .max
        write(
            WirePacket(
                sequence: stray, category: WirePacket.plain, number: UInt64(run.nextSerial()),
                length: 8 + run.chance.below(20)))
    }
}

// MARK: - Receiving

extension Peer {
    private func changed() {
        guard !isGone, frozenUntil <= run.clock else { return }
        if end.phase == .over { return leave() }
        if !isOpening && !opening.isEmpty && end.phase == .connected { open() }
        push()
        guard !end.inbox.isEmpty || end.finReceived else { return }
        switch character.reading {
        case .never: if end.finReceived { readLater(200) }
        case .eager: read(end.inbox.count)
        case .sips: readLater(5)
        }
    }

    private func readLater(_ milliseconds: Int) {
        guard !isReadPlanned else { return }
        isReadPlanned = true
        network.after(run.chance.time(upToMilliseconds: milliseconds)) {
            self.isReadPlanned = false
            if self.frozenUntil <= self.run.clock { self.read(self.run.chance.between(1, 200)) }
        }
    }

    private func read(_ most: Int) {
        guard !isGone else { return }
        network.receive(end, min(most, end.inbox.count)) { reader.append($0) }
        while case .packet(let sequence, let category, let data) = reader.next() {
            react(sequence, category, data)
        }
        if end.inbox.isEmpty && end.finReceived && end.phase == .connected { streamEnded() }
        if !end.inbox.isEmpty && character.reading == .sips { readLater(5) }
    }

    private func react(_ sequence: Int32, _ category: UInt8, _ data: ArraySlice<UInt8>) {
        if category == WirePacket.heartbeat && data.first == 0 && character.answers > 0 {
            return write(
                WirePacket(sequence: -1, category: category, number: 1, length: 1))
        }
        guard category == WirePacket.request, let number = Payload.number(of: data),
            number & WirePacket.answerBit == 0, run.chance.hits(character.answers)
        else { return }
        let times = character.repeatsAnswers ? 2 : 1
        for _ in 0..<times {
            network.after(run.chance.time(upToMilliseconds: character.answerTime)) {
                if self.end.phase == .connected && !self.end.writingEnded {
                    self.answer(sequence, number)
                }
            }
        }
    }
}
