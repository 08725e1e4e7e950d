// Unix sockets as the simulated kernel has them: hang-ups, and files.
import Testing
import Tron
import TronTestKit

@Suite struct SimulatedUnixTests {
    private final class Log {
        var reasons: [CloseReason] = []
    }

    /// A server that allows its peers to end their streams and go on reading.
    private static func serve(_ reactor: Reactor, on address: String, _ log: Log) throws {
        var options = ServerOptions()
        options.session.allowsHalfClose = true
        try reactor.listen(on: address, options: options) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            session.onClose { _, reason in log.reasons.append(reason) }
        }
    }

    /// TCP tells of a close as of an end of stream: whether anybody reads shows when one writes.
    @Test(arguments: [("unix:@echo", true), ("127.0.0.1:9000", false)])
    func `a Unix peer's close is a hang-up as well`(address: String, isToldAtOnce: Bool) throws {
        let network = SimulatedNetwork()
        let log = Log()
        try network.reactor(named: "server") { try Self.serve($0, on: address, log) }
        let peer = try network.connect(to: address)
        peer.send(category: 1, data: "ping")
        try network.run(until: { !peer.packets.isEmpty })
        peer.close()
        network.advance(by: .milliseconds(100))
        #expect(log.reasons == (isToldAtOnce ? [.peerClosed] : []))
        try network.finish()
    }

    @Test func `a socket's file keeps its path until its server or the next removes it`() throws {
        let network = SimulatedNetwork()
        let address = "unix:/run/echo"
        let server = try network.reactor(named: "server") {
            try Self.serve($0, on: address, Log())
        }
        #expect(throws: EndpointError.self) {
            try network.reactor(named: "another") { try Self.serve($0, on: address, Log()) }
        }
        server.crash()
        try server.restart()
        let peer = try network.connect(to: address)
        peer.send(category: 1, data: "ping")
        try network.run(until: { !peer.packets.isEmpty })
        try network.finish()
    }
}
