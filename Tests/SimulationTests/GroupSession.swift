// What the oracle knows of one session of a group: whose it is, what it took, what it owes.
import TronTestKit

@testable import Tron

/// A session of one of the group's reactors. `@unchecked` because all of it is on one thread.
final class GroupSession: EndObserver, @unchecked Sendable {
    private unowned let world: GroupWorld
    let session: Session
    let end: End
    /// The reactor that it belongs to.
    let index: Int
    private(set) var reason: CloseReason?
    private var delivered = 0
    /// Requests without an answer, by their number.
    private(set) var owed: [UInt64: ReplyAddress] = [:]
    /// What may come out: answers that were given, and packets for this session alone.
    private var given: Set<UInt64> = []
    private var lastBroadcast: UInt64 = 0
    private var reader = WireReader()

    static let broadcast: UInt8 = 50
    static let message: UInt8 = 51

    init(_ session: Session, _ end: End, on index: Int, _ world: GroupWorld) {
        self.session = session
        self.end = end
        self.index = index
        self.world = world
        end.observer = self
    }

    private var run: Run { world.run }

    /// A handler of it is called, which has to be in its own reactor's turn.
    func called(_ what: StaticString) {
        run.expect(
            world.current == index,
            "\(what) of a session of reactor \(index) was called by reactor \(world.current ?? -1)")
        run.expect(reason == nil, "\(what) of session \(session.id) was called after its close")
    }

    /// The caller's packets come in order, each once. The number of one that asks for an answer.
    func receive(_ packet: borrowing Packet) -> UInt64? {
        called("the packet handler")
        let log = end.other?.log.packets ?? []
        guard log.indices.contains(delivered) else {
            run.fail("session \(session.id) delivers what nobody sent")
            return nil
        }
        let expected = log[delivered].packet
        let (sequence, category) = (packet.sequence, packet.category)
        let isRight = packet.data.withUnsafeBytes { expected.matches(sequence, category, $0) }
        run.expect(isRight, "session \(session.id) delivers another packet than \(expected)")
        delivered += 1
        return category == WirePacket.request ? expected.number : nil
    }

    func owe(_ number: UInt64, _ address: ReplyAddress) { owed[number] = address }

    /// Something is handed to the session that its caller is to have.
    func give(_ number: UInt64) {
        owed[number] = nil
        given.insert(number)
    }

    func closed(_ reason: CloseReason) {
        called("the close handler")
        if let complaint = complaint(about: reason) {
            run.fail("session \(session.id) of a group ended with “\(reason)”, but \(complaint)")
        }
        self.reason = reason
    }

    private func complaint(about reason: CloseReason) -> String? {
        switch reason {
        case .requested:
            if !world.isShutDown { return "nobody closed it" }
            let isEarly = run.turnStart < world.drainEnd && !world.isStopped
            return isEarly && !owed.isEmpty ? "it owed \(owed.count) replies" : nil
        case .peerClosed: return end.endWasRead || end.finReceived ? nil : "its peer had not ended"
        case .aborted: return run.turnStart >= world.drainEnd ? nil : "no drain's time was over"
        case .reactorStopped: return world.isStopped ? nil : "the group was not stopped"
        case .system(let error):
            return end.refusals.contains(error) ? nil : "the kernel did not refuse that"
        case .deadlineExceeded: return nil
        case .protocolFault(.truncatedPacket):
            return end.endWasRead ? nil : "its peer's stream has not ended"
        case .protocolFault: return end.other?.log.fault == nil ? "its peer made no fault" : nil
        default: return "nothing of that was done to it"
        }
    }

    // MARK: What it sends

    func wasRefused() {}

    func offered(_ pieces: [Int]) {}

    func wrote(_ bytes: ArraySlice<UInt8>) {
        reader.append(bytes)
        while case .packet(_, let category, let data) = reader.next() { check(category, data) }
    }

    private func check(_ category: UInt8, _ data: ArraySlice<UInt8>) {
        guard let number = Payload.number(of: data), Payload.matches(data, number, data.count)
        else { return run.fail("session \(session.id) sends what nobody gave it") }
        if category == Self.broadcast {
            run.expect(
                number > lastBroadcast && world.broadcasts.contains(number),
                "session \(session.id) sends broadcast \(number) after \(lastBroadcast)")
            lastBroadcast = number
            return run.met(.groupBroadcast)
        }
        let isGiven = given.remove(number & ~WirePacket.answerBit) != nil
        run.expect(isGiven, "session \(session.id) sends \(number), which is not for it")
        if category == Self.message { run.met(.groupAddressed) }
    }
}
