// How a group ends: who has connected is served, told or refused, and never forgotten.
import Glibc
import Testing

@testable import Tron

@Suite struct GroupDrainTests {
    enum Place: String, CaseIterable {
        case tcp = "127.0.0.1:0"
        case unix
        var address: String { self == .unix ? Bench.unixName() : rawValue }
    }

    /// Nobody has accepted them when the drain begins.
    @Test(arguments: Place.allCases)
    func `a drain serves whoever has connected before it, and then tells them`(place: Place) throws
    {
        let bench = try GroupBench(on: place.address)
        bench.kernel.isFrozen = true
        for _ in 0..<20 { try bench.knock().send(wire("question")) }
        bench.group.shutDown()
        try bench.turn(times: 10)
        #expect(bench.texts.count == 20, "\(bench.counts)")
        for _ in 0..<30 {
            bench.kernel.advance(.milliseconds(10))
            try bench.turn(times: 2)
        }
        for peer in bench.peers {
            peer.drainToEnd()
            #expect(peer.texts == ["question"] && peer.isAtEnd && peer.error == 0)
            peer.close()
        }
        bench.kernel.isFrozen = false
        try bench.turn(until: { bench.hasEnded })
        #expect(bench.logs.flatMap(\.reasons).count == 20)
        bench.check()
    }

    @Test func `while a group drains the kernel drops who asks for a connection`() throws {
        let bench = try GroupBench()
        bench.kernel.isFrozen = true
        bench.group.shutDown()
        try bench.turn(times: 2)
        #expect(bench.kernel.calls[.filter] == 3)
        let late = try Peer(startingTo: bench.server.address)
        try bench.turn(times: 5)
        #expect(bench.counts == [0, 0, 0] && !late.drained.isAtEnd)
        // Not before the window's end.
        bench.kernel.advance(.milliseconds(198))
        try bench.turn(times: 3)
        #expect(bench.isRunning)
        bench.kernel.advance(.milliseconds(3))
        try bench.turn(times: 5)
        #expect(bench.hasEnded)
        #expect(throws: SystemError(.connect, code: ECONNREFUSED)) {
            try Peer(to: bench.server.address)
        }
    }

    @Test func `a Unix socket that drains refuses at once, and loses nobody`() throws {
        let bench = try GroupBench(on: Bench.unixName())
        for _ in 0..<5 { try bench.knock().send(wire("in time")) }
        bench.group.shutDown()
        // The drain has begun, and nothing is accepted yet.
        try bench.reactors[0].turn()
        #expect(throws: SystemError(.connect, code: ECONNREFUSED)) {
            try Peer(to: bench.server.address)
        }
        try bench.turn(until: { bench.texts.count == 5 })
        for peer in bench.peers {
            try bench.turn(until: { peer.drained.isAtEnd })
            #expect(peer.texts == ["in time"])
            peer.close()
        }
        try bench.turn(until: { bench.hasEnded })
    }

    @Test func `who cannot be accepted for want of a descriptor keeps nobody from being told`()
        throws
    {
        let bench = try GroupBench()
        try bench.connect(3)
        bench.kernel.isFrozen = true
        bench.kernel.fault = { call, _, _ in call == .accept ? .error(EMFILE) : nil }
        try bench.knock()
        bench.group.shutDown()
        for _ in 0..<40 {
            bench.kernel.advance(.milliseconds(10))
            try bench.turn(times: 2)
        }
        for peer in bench.peers[..<3] {
            peer.drainToEnd()
            #expect(peer.isAtEnd && peer.error == 0)
            peer.close()
        }
        bench.kernel.fault = { _, _, _ in nil }
        for _ in 0..<40 {
            bench.kernel.advance(.milliseconds(10))
            try bench.turn(times: 2)
        }
        bench.peers[3].drainToEnd()
        #expect(bench.peers[3].isAtEnd && bench.peers[3].error == 0)
        bench.peers[3].close()
        bench.kernel.isFrozen = false
        try bench.turn(until: { bench.hasEnded })
    }

    @Test func `what is on its way from another reactor is waited for`() throws {
        let bench = try GroupBench(count: 2, on: Bench.unixName())
        bench.kernel.isFrozen = true
        try bench.connect(1)
        try bench.knock().send(wire("on its way"))
        // Accepted and handed over, and then both drain.
        try bench.reactors[0].turn()
        bench.group.shutDown()
        try bench.reactors[0].turn(times: 3)
        // The connection and the drain come in one turn.
        try bench.turn(times: 4)
        #expect(bench.counts == [1, 1])
        #expect(bench.texts == ["on its way"])
        bench.check()
    }

    /// The drain of the one that is sent something begins first.
    @Test func `a server that drains is sent nothing, and stays until what was sent has come`()
        throws
    {
        let shares = ServerShares(count: 2, areDealt: true)
        let kernel = FaultyKernel()
        kernel.isFrozen = true
        let reactor = try Reactor(kernel: kernel)
        var options = ServerOptions()
        options.drainWindow = .zero
        let nothing = ListeningSocket(
            descriptor: Descriptor(-1, kernel: Kernel(kernel)), address: .loopback(port: 1),
            file: nil)
        let server = try Server(
            nothing, options: options, setup: { _ in }, registry: reactor.registry,
            share: ServerShare(shares: shares, index: 1))
        shares.join(1, reactor.remote)
        #expect(shares.counts.send(to: 1))
        var reports: [DrainReport] = []
        server.drain(within: .seconds(8)) { reports.append($0) }
        try reactor.turn(times: 3)
        #expect(!shares.counts.send(to: 1) && reports.isEmpty)
        // Whoever sent it has kept it.
        shares.counts.arrived(at: 1)
        kernel.advance(.milliseconds(11))
        try reactor.turn(times: 3)
        #expect(reports == [DrainReport()])
    }

    @Test func `a drain of a Unix socket reads the PROXY headers that are to come`() throws {
        var options = ServerOptions()
        options.proxyProtocol = .required(from: [.unix])
        let bench = try GroupBench(count: 2, on: Bench.unixName(), options: options)
        bench.kernel.isFrozen = true
        for _ in 0..<4 { try bench.knock() }
        bench.group.shutDown()
        try bench.turn(times: 5)
        #expect(bench.server.sessionCount == 4 && bench.counts == [0, 0])
        for peer in bench.peers.prefix(3) {
            peer.send("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n".utf8)
            peer.send(wire("behind"))
        }
        try bench.turn(until: { bench.texts.count == 3 })
        #expect(bench.total(\.proxy.stopped) == 0)
        // The one without is late in the end.
        bench.kernel.advance(.seconds(6))
        try bench.turn(times: 5)
        #expect(bench.total(\.proxy.late) == 1)
    }

    @Test func `the deadline ends what a drain still accepts`() throws {
        var options = ServerOptions()
        options.drainWindow = .seconds(60)
        options.proxyProtocol = try .required(from: [Network("127.0.0.0/8")], within: .seconds(60))
        let bench = try GroupBench(options: options, drainingWithin: .seconds(2))
        bench.kernel.isFrozen = true
        try bench.knock()
        bench.group.shutDown()
        try bench.turn(times: 3)
        #expect(bench.server.sessionCount == 1)
        bench.kernel.advance(.seconds(3))
        try bench.turn(times: 5)
        #expect(bench.hasEnded)
        #expect(bench.total(\.proxy.stopped) == 1 && bench.server.sessionCount == 0)
        bench.peers[0].drainToEnd()
        #expect(bench.peers[0].isAtEnd || bench.peers[0].error == ECONNRESET)
    }

    @Test func `a second request stops all at once`() throws {
        let bench = try GroupBench(drainingWithin: .seconds(600))
        bench.kernel.isFrozen = true
        try bench.connect(6)
        bench.group.shutDown()
        try bench.turn(times: 3)
        #expect(bench.isRunning)
        bench.group.shutDown()
        try bench.turn(times: 2)
        #expect(bench.hasEnded)
        #expect(bench.logs.flatMap(\.reasons).count == 6)
        bench.check()
    }

    @Test func `a notice lets all go on as before`() throws {
        let bench = try GroupBench(notice: .seconds(1))
        bench.kernel.isFrozen = true
        try bench.turn()
        #expect(bench.group.isReady)
        bench.group.shutDown()
        try bench.turn()
        #expect(!bench.group.isReady)
        try bench.connect(3)
        #expect(bench.counts.reduce(0, +) == 3 && bench.kernel.calls[.filter] == nil)
    }
}
