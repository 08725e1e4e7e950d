// Whether a reactor is to be sent work, and the notice between that word and its drain.
import Glibc
import Testing

@testable import Tron

@Suite struct ReadinessTests {
    @Test func `ready, unless it prepares itself, until a drain begins`() throws {
        let bench = try Bench()
        let reactor = bench.reactor
        #expect(reactor.isReady && !reactor.isPreparing)
        reactor.isPreparing = true
        #expect(!reactor.isReady && reactor.isPreparing)
        reactor.isPreparing = false
        #expect(reactor.isReady)
        reactor.drain(within: .seconds(5), notice: .seconds(1))
        #expect(!reactor.isReady && !reactor.isPreparing)
        reactor.isPreparing = true
        reactor.isPreparing = false
        #expect(!reactor.isReady)
    }

    @Test func `during the notice servers accept and serve as before`() throws {
        let bench = try Bench()
        let early = try bench.connect()
        var reports: [DrainReport] = []
        bench.kernel.isFrozen = true
        bench.reactor.drain(within: .seconds(5), notice: .seconds(2)) { reports.append($0) }
        try bench.reactor.turn(times: 3)
        let late = try bench.connect()
        #expect(bench.server.sessionCount == 2)
        #expect(!early.drained.isAtEnd && !late.drained.isAtEnd)
        bench.kernel.advance(.milliseconds(2001))
        bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { early.drained.isAtEnd && late.drained.isAtEnd })
        #expect(throws: SystemError.self) { try bench.connect() }
        early.close()
        late.close()
        try bench.reactor.turn(until: { !reports.isEmpty })
        #expect(reports.map(\.closed) == [2])
    }

    @Test func `the deadline counts from the end of the notice`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        var reports: [DrainReport] = []
        bench.kernel.isFrozen = true
        bench.reactor.drain(within: .seconds(5), notice: .seconds(10)) { reports.append($0) }
        bench.kernel.advance(.milliseconds(10_001))
        try bench.reactor.turn(times: 3)
        bench.kernel.advance(.milliseconds(4900))
        try bench.reactor.turn(times: 3)
        #expect(reports == [])
        bench.kernel.advance(.milliseconds(200))
        try bench.reactor.turn(until: { !reports.isEmpty })
        #expect(reports.map(\.aborted) == [1])
        peer.close()
    }

    @Test func `a stop during the notice ends it, and the report is complete`() throws {
        let bench = try Bench()
        let peer = try bench.connect()
        var reports: [DrainReport] = []
        bench.reactor.drain(within: .seconds(5), notice: .seconds(10)) { reports.append($0) }
        bench.reactor.callSoon { bench.reactor.stop() }
        try bench.reactor.run()
        #expect(reports.map(\.aborted) == [1])
        #expect(!bench.reactor.isReady)
        peer.close()
    }
}
