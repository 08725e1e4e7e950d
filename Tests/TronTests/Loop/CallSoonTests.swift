// Closures that are left for the work phase that comes next: in order, all of them, none lost.
import Testing

@testable import Tron

@Suite struct CallSoonTests {
    @Test func `calls are made in order, in the work phase that comes next`() throws {
        let bench = try Bench()
        let reactor = bench.reactor
        var notes: [String] = []
        let peer = try bench.connect()
        bench.sessions[0].onPacket { [unowned reactor] _, _ in
            notes.append("packet")
            reactor.callSoon {
                notes.append("soon")
                reactor.callSoon { notes.append("next turn") }
            }
            reactor.callSoon { notes.append("soon after") }
            reactor.submit { _ in }
        }
        peer.send(wire("x"))
        try reactor.turn(until: { !notes.isEmpty })
        #expect(notes == ["packet", "soon", "soon after"])
        bench.kernel.isFrozen = true
        try reactor.turn()
        #expect(notes.last == "next turn")
    }

    @Test func `a turn makes as many as waited, however many its limit of work is`() throws {
        var limits = ReactorLimits()
        limits.maximumWorkPerTurn = 1
        let reactor = try Reactor(limits: limits, kernel: FaultyKernel())
        var count = 0
        for _ in 0..<5000 { reactor.callSoon { count += 1 } }
        try reactor.turn()
        #expect(count == 5000)
    }

    @Test func `a call that asks for another one does not hold the turn, nor does it sleep`() throws
    {
        let reactor = try Reactor(kernel: FaultyKernel())
        var count = 0
        func again() {
            count += 1
            reactor.callSoon(again)
        }
        reactor.callSoon(again)
        for turn in 1...5 {
            try reactor.turn()
            #expect(count == turn)
        }
        reactor.stop()
        try reactor.run()
        #expect(count <= 200)
    }

    @Test func `what was asked for is called before run returns, and later it is refused`() throws {
        let reactor = try Reactor(kernel: FaultyKernel())
        var notes: [String] = []
        reactor.callSoon {
            notes.append("first")
            reactor.stop()
            reactor.callSoon { notes.append("second") }
        }
        try reactor.run()
        #expect(notes == ["first", "second"])
        #expect(!reactor.callSoon { notes.append("never") })
        #expect(notes.count == 2)
    }

    @Test func `what is dropped does not keep the reactor`() throws {
        var reactor: Reactor? = try Reactor(kernel: FaultyKernel())
        weak var kept = reactor
        var count = 0
        reactor?.callSoon { count += 1 }
        reactor = nil
        #expect(kept == nil && count == 1)
    }
}
