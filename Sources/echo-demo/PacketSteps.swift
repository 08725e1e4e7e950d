// The steps about packets and sessions: what is written, and what has to come of it.
import Tron

/// One step, on a connection of its own.
struct PacketStep {
    let title: String
    /// What there is to see.
    let lesson: String
    /// What the client writes. Each piece is sent when the server has received all before it.
    let writes: [[UInt8]]
    /// The packets that have to come back.
    let answers: [OwnedPacket]
    /// Why the server's session has to end. With `.peerClosed` it is the client that closes, once
    /// it has its answers.
    let serverEnd: CloseReason

    /// After how long without moving bytes the server closes a session.
    static let idleTime = Duration.milliseconds(300)

    static let all = [
        twoPacketsInOneWrite, onePacketInTwoWrites, lineEndInData, idleSession, badTrailer,
    ]
}

extension PacketStep {
    private static let twoPacketsInOneWrite: PacketStep = {
        let packets = [packet(0, "one"), packet(1, "two")]
        return PacketStep(
            title: "Two packets in one write",
            lesson: "Where a packet ends, its length says: each is delivered and answered.",
            writes: [packets.flatMap(\.wireBytes)],
            answers: packets, serverEnd: .peerClosed)
    }()

    private static let onePacketInTwoWrites: PacketStep = {
        let packet = Self.packet(2, "in two pieces")
        let cut = 12
        return PacketStep(
            title: "One packet in two writes",
            lesson: "The beginning is kept until the rest is there; then it is one packet.",
            writes: [Array(packet.wireBytes[..<cut]), Array(packet.wireBytes[cut...])],
            answers: [packet], serverEnd: .peerClosed)
    }()

    private static let lineEndInData: PacketStep = {
        let packet = Self.packet(3, "a\r\nb\r\n")
        return PacketStep(
            title: "CR LF inside the data",
            lesson: "The trailer CR LF is checked where it belongs, never searched for.",
            writes: [packet.wireBytes], answers: [packet], serverEnd: .peerClosed)
    }()

    private static let idleSession: PacketStep = {
        let packet = Self.packet(4, "then silence")
        return PacketStep(
            title: "An idle session",
            lesson: "The server closes a session that moves no bytes for \(idleTime).",
            writes: [packet.wireBytes], answers: [packet], serverEnd: .idle(.either))
    }()

    private static let badTrailer: PacketStep = {
        let good = packet(5, "good")
        let bad = Array(packet(6, "bad").wireBytes.dropLast(2)) + [0x21, 0x3f]
        return PacketStep(
            title: "A bad packet after a good one",
            lesson: "The good one is answered; then the session ends, and says what was wrong.",
            writes: [good.wireBytes + bad], answers: [good],
            serverEnd: .protocolFault(.badTrailer(0x213f)))
    }()

    private static func packet(_ sequence: Int32, _ text: String) -> OwnedPacket {
        OwnedPacket(sequence: sequence, category: 1, data: [UInt8](text.utf8))
    }
}
