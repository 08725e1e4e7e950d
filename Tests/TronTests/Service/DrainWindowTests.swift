// The drain's window of a server without a group: who has connected is accepted before the end.
import Glibc
import Testing

@testable import Tron

@Suite struct DrainWindowTests {
    private static func options(_ window: Duration) -> ServerOptions {
        var options = ServerOptions()
        options.drainWindow = window
        return options
    }

    @Test func `a server that drains serves whoever has connected before`() throws {
        let bench = try Bench(.ipv4, options: Self.options(.milliseconds(100)))
        bench.kernel.isFrozen = true
        let peers = try (0..<3).map { _ in try Peer(to: bench.server.address) }
        for peer in peers { peer.send(wire("waiting")) }
        var reports: [DrainReport] = []
        bench.server.drain(within: .seconds(8)) { reports.append($0) }
        try bench.reactor.turn(times: 5)
        #expect(bench.texts.count == 3 && reports.isEmpty)
        // Nobody is told before the listener is closed.
        bench.kernel.advance(.milliseconds(99))
        try bench.reactor.turn(times: 5)
        for peer in peers { #expect(!peer.drained.isAtEnd) }
        bench.kernel.advance(.milliseconds(2))
        try bench.reactor.turn(times: 5)
        bench.kernel.advance(.milliseconds(11))
        try bench.reactor.turn(times: 5)
        for peer in peers { #expect(peer.drained.isAtEnd && peer.error == 0) }
        for peer in peers { peer.close() }
        try bench.reactor.turn(until: { reports.count == 1 })
        #expect(reports.map(\.closed) == [3])
    }

    @Test func `as fast as it may, it accepts all who wait`() throws {
        var options = Self.options(.zero)
        options.limits.maximumAcceptRate = RateLimit(perSecond: 10, burst: 1)
        let bench = try Bench(options: options)
        let peers = try (0..<5).map { _ in try Peer(to: bench.server.address) }
        var reports: [DrainReport] = []
        bench.server.drain(within: .seconds(8)) { reports.append($0) }
        try bench.reactor.turn(until: { bench.sessions.count == 5 })
        for peer in peers { peer.close() }
        try bench.reactor.turn(until: { reports.count == 1 })
        #expect(reports[0].closed == 5)
    }

    @Test func `where the kernel refuses the filter, only those who wait are accepted`() throws {
        let bench = try Bench(.ipv4, options: Self.options(.seconds(5)))
        bench.kernel.isFrozen = true
        bench.kernel.fault = { call, _, _ in call == .filter ? .error(EPERM) : nil }
        let peer = try Peer(to: bench.server.address)
        var reports: [DrainReport] = []
        bench.server.drain(within: .seconds(8)) { reports.append($0) }
        try bench.reactor.turn(times: 4)
        #expect(bench.sessions.count == 1)
        #expect(throws: SystemError(.connect, code: ECONNREFUSED)) {
            try Peer(to: bench.server.address)
        }
        peer.close()
        try bench.reactor.turn(until: { reports.count == 1 })
    }

    @Test func `out of descriptors, a drain waits for one`() throws {
        let bench = try Bench(options: Self.options(.zero))
        let peer = try Peer(to: bench.server.address)
        bench.kernel.fault = { call, number, _ in
            call == .accept && number == 1 ? .error(EMFILE) : nil
        }
        var reports: [DrainReport] = []
        bench.server.drain(within: .seconds(8)) { reports.append($0) }
        try bench.reactor.turn(until: { bench.sessions.count == 1 })
        peer.close()
        try bench.reactor.turn(until: { reports.count == 1 })
        #expect(reports[0].closed == 1 && bench.server.counters.exhaustions == 1)
    }

    @Test func `an inherited listener is neither filtered nor emptied`() throws {
        let foreign = Foreign(.loopback(port: 0))
        let kernel = FaultyKernel()
        let inherited = try InheritedListeners([("echo", foreign.copy)], kernel: Kernel(kernel))
        let reactor = try Reactor(kernel: kernel)
        let server = try reactor.listen(
            on: inherited.claim("echo"), options: Self.options(.seconds(5))
        ) { _ in }
        let peer = try Peer(to: foreign.address)
        var reports: [DrainReport] = []
        server.drain(within: .seconds(8)) { reports.append($0) }
        try reactor.turn(times: 3)
        #expect(reports.count == 1 && server.counters.accepted == 0)
        #expect(kernel.calls[.filter] == nil && kernel.calls[.shutdownReading] == nil)
        // It still waits, and so may others.
        let late = try Peer(to: foreign.address)
        #expect(!peer.drained.isAtEnd && peer.error == 0 && !late.drained.isAtEnd)
    }

    @Test func `what the server is told while it is emptied is the end of it`() throws {
        let bench = try Bench(.ipv4, options: Self.options(.seconds(5)))
        bench.kernel.isFrozen = true
        var reports: [DrainReport] = []
        bench.server.drain(within: .seconds(8)) { reports.append($0) }
        bench.server.drain(within: .seconds(8)) { reports.append($0) }
        try bench.reactor.turn(times: 3)
        #expect(reports.isEmpty)
        bench.server.stopListening()
        try bench.reactor.turn(times: 3)
        #expect(reports.count == 2)
        #expect(bench.reactor.registry.wheel.count == 0)
    }
}
