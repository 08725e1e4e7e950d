// Real TCP peers that do not read: their kernels answer, so they are alive, however long it takes.
import Glibc
import Testing

@testable import Tron

@Suite struct ZeroWindowTests {
    private static let beat: UInt8 = 200

    /// A server's session with more output than fits into both kernels.
    private func stage(
        _ place: Neighbourhood, isAsking: Bool, reasons: @escaping (CloseReason) -> Void
    ) throws -> (Session, Peer) {
        var options = ServerOptions()
        options.session.deadAfter = .seconds(1)
        if isAsking {
            options.session.heartbeat = Heartbeat(
                category: Self.beat, interval: .milliseconds(300))
        }
        // It reads all the time, and hears nothing.
        options.session.pausesReadingAboveHighWatermark = false
        place.kernel.sendBuffer = 16_384
        var sessions: [Session] = []
        let server = try place.reactor.listen(on: .loopback(port: 0), options: options) { session in
            session.onClose { _, reason in reasons(reason) }
            session.send(category: 1, data: [UInt8](repeating: 0x61, count: 400_000))
            sessions.append(session)
        }
        let peer = try Peer(to: server.address, receiveBuffer: 8192)
        try place.turn(until: { sessions.count == 1 })
        return (sessions[0], peer)
    }

    /// More than three times as long as a peer may be silent. The kernel's probes grow rarer
    /// meanwhile: the last gap between them is longer than that time, too.
    @Test(arguments: [true, false])
    func `a peer that does not read, and whose kernel answers, is not dead`(isAsking: Bool) throws {
        let place = try Neighbourhood()
        var reasons: [CloseReason] = []
        let (session, peer) = try stage(place, isAsking: isAsking) { reasons.append($0) }
        try place.turn(for: .seconds(5))
        #expect(reasons == [] && session.queuedBytes > 100_000)
        // It reads in the end, all of it, and answers what it is asked.
        let questions = { peer.drained.packets.count { $0.category == Self.beat } }
        var answered = 0
        let end = ContinuousClock.now + .seconds(2)
        while ContinuousClock.now < end && reasons.isEmpty {
            try place.reactor.turn()
            for _ in answered..<questions() {
                peer.send(OwnedPacket(category: Self.beat, data: [1]).wireBytes)
                answered += 1
            }
        }
        #expect(reasons == [] && session.queuedBytes == 0)
        #expect(peer.packets.first?.data.count == 400_000)
        #expect(answered > 0 || !isAsking)
    }

    @Test func `a peer that has read everything and answers nothing is dead`() throws {
        let place = try Neighbourhood()
        var reasons: [CloseReason] = []
        let (session, peer) = try stage(place, isAsking: true) { reasons.append($0) }
        try place.turn(until: { peer.drained.received.count >= 400_011 })
        // When exactly, the fake clock knows.
        try place.turn(until: { !reasons.isEmpty })
        #expect(reasons == [.dead] && !session.isOpen)
    }
}
