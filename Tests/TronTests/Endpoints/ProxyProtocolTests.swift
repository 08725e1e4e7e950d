// Servers behind proxies: whose header is taken, what becomes of it, and what comes after it.
import Glibc
import Testing

@testable import Tron

@Suite struct ProxyProtocolTests {
    private let header = ProxyHeaderText.ipv4.with(0x02, Array("host".utf8)).withChecksum.bytes
    private let client = SocketAddress.ipv4(host: 0xc000_0201, port: 56_324)

    /// A server that trusts this machine's own peers.
    private func bench(
        _ transport: Bench.Transport = .unix, from networks: [Network] = [.unix],
        _ change: (inout ServerOptions) -> Void = { _ in },
        limits: ReactorLimits = ReactorLimits(),
        setup: @escaping (Session, Log) -> Void = { _, _ in }
    ) throws -> Bench {
        var options = ServerOptions()
        options.proxyProtocol = .required(from: networks)
        change(&options)
        return try Bench(transport, options: options, limits: limits, setup: setup)
    }

    /// Nothing of a server's connections is left but the listener and the reactor's own.
    private func expectNothingLeft(
        _ bench: Bench, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try bench.reactor.turn(times: 2)
        #expect(bench.kernel.openDescriptors.count == 3, sourceLocation: sourceLocation)
        #expect(bench.server.arrivalCount == 0, sourceLocation: sourceLocation)
        #expect(bench.reactor.registry.wheel.count == 0, sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        (Bench.Transport.ipv4, "127.0.0.0/8"), (.ipv6, "::1"), (.unix, "unix"),
    ])
    func `a session has its client's address, and what else the proxy told`(
        transport: Bench.Transport, network: String
    ) throws {
        let bench = try bench(transport, from: [Network("192.0.2.0/24"), Network(network)])
        let peer = try Peer(to: bench.server.address)
        peer.send(header + wire("hello"))
        try bench.reactor.turn(until: { bench.texts == ["hello"] })
        let session = bench.sessions[0]
        #expect(session.remoteAddress == client)
        let proxied = try #require(session.proxied)
        #expect(proxied.version == 2 && proxied.sourceAddress == client)
        #expect(proxied.destinationAddress == .ipv4(host: 0xc633_6402, port: 443))
        #expect(proxied.authority == Array("host".utf8))
        if transport != .unix { #expect(proxied.proxyAddress == peer.localAddress) }
        #expect(proxied.proxyAddress?.isUnix == (transport == .unix))
        #expect(session.counters.bytesReceived == wire("hello").count)
        peer.send(wire("again"))
        try bench.reactor.turn(until: { bench.texts == ["hello", "again"] })
        peer.close()
        try bench.turnUntilClosed()
        #expect(session.remoteAddress == client && session.proxied == proxied)
        #expect(bench.reasons == [.peerClosed] && bench.server.counters.proxy.total == 0)
        try expectNothingLeft(bench)
    }

    @Test func `a server that requires no header has none`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        #expect(bench.sessions[0].proxied == nil)
        peer.send(header)
        try bench.turnUntilClosed()
        guard case .protocolFault = bench.reasons[0] else {
            Issue.record("\(bench.reasons)")
            return
        }
    }

    @Test func `nobody hears of a connection before all of its header has come, in any pieces`()
        throws
    {
        let bytes = header + wire("a") + wire("b")
        for cut in 1..<bytes.count {
            let bench = try bench()
            let peer = try Peer(to: bench.server.address)
            peer.send(bytes[..<cut])
            bench.kernel.isFrozen = true
            try bench.reactor.turn(times: 3)
            #expect(bench.sessions.isEmpty == (cut < header.count))
            #expect(bench.server.arrivalCount == (cut < header.count ? 1 : 0))
            peer.send(bytes[cut...])
            try bench.reactor.turn(until: { bench.texts == ["a", "b"] })
            #expect(bench.sessions[0].remoteAddress == client)
        }
    }

    @Test func `a header comes a byte at a time, and a byte a turn`() throws {
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn = 1
        let bench = try bench(limits: limits)
        let peer = try Peer(to: bench.server.address)
        peer.send(header + wire("hello"))
        try bench.reactor.turn(until: { bench.texts == ["hello"] })
        let slow = try Peer(to: bench.server.address)
        bench.kernel.isFrozen = true
        for byte in Array("PROXY TCP4 192.0.2.1 192.0.2.2 56324 2\r\n".utf8) {
            #expect(bench.sessions.count == 1)
            slow.send([byte])
            try bench.reactor.turn(times: 2)
        }
        #expect(bench.sessions.count == 2 && bench.sessions[1].remoteAddress == client)
    }

    @Test func `an incomplete header does not spin`() throws {
        let bench = try bench()
        let peer = try Peer(to: bench.server.address)
        peer.send(header.dropLast())
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 5)
        let calls = bench.kernel.calls[.receive]
        try bench.reactor.turn(times: 20)
        #expect(bench.kernel.calls[.receive] == calls && bench.server.arrivalCount == 1)
    }

    @Test func `a header costs one call to receive and one to epoll`() throws {
        let bench = try bench()
        let peer = try Peer(to: bench.server.address)
        peer.send(header)
        try bench.reactor.turn(until: { bench.sessions.count == 1 })
        #expect(bench.kernel.calls[.receive] == 1)
        // The listener, the eventfd, the connection; and once more for its session.
        #expect(bench.kernel.calls[.epollControl] == 4)
    }

    // MARK: Connections that are not a client's

    @Test(arguments: [
        ([UInt8](ProxyHeaderText.signature + [0x20, 0, 0, 0]), true),
        ([UInt8]("PROXY UNKNOWN\r\n".utf8), false),
        (ProxyHeaderText(family: 0).bytes, false),
    ])
    func `without a client's address the proxy's own holds`(
        header: [UInt8], isLocal: Bool
    ) throws {
        let bench = try bench(.ipv4, from: [Network("127.0.0.1")])
        let peer = try Peer(to: bench.server.address)
        peer.send(header + wire("check"))
        try bench.reactor.turn(until: { bench.texts == ["check"] })
        let session = bench.sessions[0]
        #expect(session.remoteAddress == peer.localAddress)
        #expect(session.proxied?.isLocal == isLocal && session.proxied?.sourceAddress == nil)
    }

    @Test func `a header behind a header is payload`() throws {
        let bench = try bench()
        let peer = try Peer(to: bench.server.address)
        peer.send(header + header)
        try bench.turnUntilClosed()
        guard case .protocolFault = bench.reasons[0] else {
            Issue.record("\(bench.reasons)")
            return
        }
        #expect(bench.sessions[0].remoteAddress == client)
    }

    // MARK: What comes behind the header

    @Test func `payload waits for whoever reads later`() throws {
        let bench = try bench { _ in
        } setup: { session, _ in
            session.pauseReading()
        }
        let peer = try Peer(to: bench.server.address)
        peer.send(header + wire("a"))
        try bench.reactor.turn(until: { bench.sessions.count == 1 })
        peer.send(wire("b"))
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 3)
        #expect(bench.texts == [])
        bench.sessions[0].resumeReading()
        try bench.reactor.turn(until: { bench.texts == ["a", "b"] })
    }

    @Test func `payload reaches handlers of frames and of bytes`() throws {
        for isFrames in [true, false] {
            let bench = try bench { _ in
            } setup: { session, log in
                if isFrames {
                    session.onFrames(of: .lines()) { log.notes.append($1.text) }
                } else {
                    session.onBytes { _, bytes in
                        log.notes.append(bytes.text)
                        return bytes.byteCount
                    }
                }
            }
            let peer = try Peer(to: bench.server.address)
            peer.send(header + Array("line\n".utf8))
            try bench.reactor.turn(until: { !bench.log.notes.isEmpty })
            #expect(bench.log.notes == [isFrames ? "line" : "line\n"])
        }
    }

    @Test func `payload that breaks the protocol, or is cut short, ends the session`() throws {
        let bench = try bench()
        let broken = try Peer(to: bench.server.address)
        broken.send(header + [UInt8](repeating: 0xff, count: 20))
        try bench.turnUntilClosed()
        let cut = try Peer(to: bench.server.address)
        cut.send(header + wire("x").dropLast())
        cut.finish()
        try bench.turnUntilClosed(2)
        #expect(bench.reasons[1] == .protocolFault(.truncatedPacket(bytes: wire("x").count - 1)))
    }

    @Test func `a setup that ends its session, or the server, delivers nothing`() throws {
        for end in 0..<3 {
            weak var server: Server?
            let bench = try bench { _ in
            } setup: { session, _ in
                switch end {
                case 0: session.close()
                case 1: session.abort()
                default: server?.stop()
                }
            }
            server = bench.server
            let waiting = try Peer(to: bench.server.address)
            let peer = try Peer(to: bench.server.address)
            try bench.reactor.turn(until: { bench.server.arrivalCount == 2 })
            peer.send(header + wire("a"))
            try bench.reactor.turn(until: { bench.sessions.count == 1 })
            peer.close()
            try bench.turnUntilClosed()
            #expect(bench.texts == [])
            #expect(bench.server.counters.proxy.stopped == (end == 2 ? 1 : 0))
            withExtendedLifetime(waiting) {}
        }
    }

    @Test func `a large packet that begins behind its header comes whole`() throws {
        let bench = try bench()
        let peer = try Peer(to: bench.server.address)
        let text = String(repeating: "x", count: 100_000)
        var bytes = header + wire(text) + wire("end")
        while bench.texts.count < 2 {
            let sent = peer.send(bytes)
            if sent > 0 { bytes.removeFirst(sent) }
            try bench.reactor.turn()
        }
        #expect(bench.texts == [text, "end"])
        #expect(
            bench.sessions[0].counters.bytesReceived == wire(text).count + wire("end").count)
    }
}
