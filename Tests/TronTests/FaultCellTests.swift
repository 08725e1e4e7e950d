// Bugs that the fault matrix found, each with the cell that showed it.
import Glibc
import Testing

@testable import Tron

@Suite struct FaultCellTests {
    /// Cell: echo, accept ECONNABORTED for good from 1.
    @Test func `a listener whose accepts all fail rests in place of spinning`() throws {
        let bench = try Bench()
        let peer = try Peer(to: bench.server.address)
        bench.kernel.isFrozen = true
        bench.kernel.fault = { call, _, _ in call == .accept ? .error(ECONNABORTED) : nil }
        try bench.reactor.turn(times: 100)
        #expect(bench.kernel.calls[.accept] == 64)
        #expect(bench.server.counters.failed == 64)
        bench.kernel.fault = { _, _, _ in nil }
        bench.kernel.isFrozen = false
        peer.send(wire("patience"))
        try bench.reactor.turn(until: { bench.texts == ["patience"] })
    }
}
