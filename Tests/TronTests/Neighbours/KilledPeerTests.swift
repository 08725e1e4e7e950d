// Peers that are killed: a thousand processes, whatever they were just doing.
import Glibc
import Testing

@testable import Tron

@Suite(.enabled(if: Tool.has("bash"), "needs bash, whose sockets make cheap peers"))
struct KilledPeerTests {
    private static let packet = #"\xff\xff\xff\xff\x01\x00\x00\x00\x04ping\r\n"#

    /// Connects, sends a packet, does something more, and stands still until it is killed.
    private func peer(_ address: SocketAddress, _ index: Int) throws -> pid_t {
        let more = [
            // Has read the answer: its end is a plain end.
            "read -r -u 3 answer",
            // Has not: its end is a reset.
            ":",
            // Is in the middle of another packet.
            "read -r -u 3 answer",
        ][index % 3]
        let sent = Self.packet + (index % 3 == 2 ? #"\xff\xff\xff"# : "")
        let script =
            "exec 3<>/dev/tcp/127.0.0.1/\(address.port ?? 0); printf '\(sent)' >&3; \(more)"
        return try #require(Tool.spawn(["bash", "-c", script + "; kill -STOP $$"]))
    }

    @Test func `a thousand killed peers end their sessions and leave nothing behind`() throws {
        let place = try Neighbourhood()
        let ends = EndCounts()
        var packets = 0
        let server = try place.reactor.listen(on: "127.0.0.1:0") { session in
            session.onPacket { session, packet in
                packets += 1
                session.reply(to: packet, data: packet.data)
            }
            session.onClose { _, reason in ends.add(reason) }
        }
        let open = place.kernel.openDescriptors.count
        for batch in 1...20 {
            let peers = try (0..<50).map { try peer(server.address, $0) }
            defer { peers.forEach(Tool.kill) }
            try place.turn(until: { packets == 50 * batch })
            if packets < 50 * batch { return }
            peers.forEach { kill($0, SIGKILL) }
            try place.turn(until: { ends.total == 50 * batch })
        }
        print("killed peers: \(ends.counts)")
        #expect(server.counters.accepted == 1000)
        #expect(ends.total == 1000 && server.sessionCount == 0)
        let usual: [CloseReason] = [
            .peerClosed, .protocolFault(.truncatedPacket(bytes: 3)),
            .system(SystemError(.recv, code: ECONNRESET)),
            .system(SystemError(.send, code: ECONNRESET)),
            .system(SystemError(.send, code: EPIPE)),
        ]
        #expect(ends.others(than: usual) == [:])
        #expect(place.kernel.openDescriptors.count == open)
        #expect(place.reactor.registry.wheel.count == 0)
        #expect(place.reactor.registry.buffers.checkInvariant())
    }
}
