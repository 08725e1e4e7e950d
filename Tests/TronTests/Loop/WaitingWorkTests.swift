// Work from elsewhere is bounded: what the loop has taken and not run still counts.
import Testing

@testable import Tron

@Suite struct WaitingWorkTests {
    /// What ran, by number. With the library's own lock: the thread sanitizer does not see Mutex.
    private final class Runs: Sendable {
        private let list = Locked<[Int]>([])

        var all: [Int] { list.withLock { $0 } }

        func add(_ number: Int) { list.withLock { $0.append(number) } }
    }

    /// A reactor that runs ten pieces a turn, of at most a thousand that wait.
    private func reactor() throws -> Reactor {
        var limits = ReactorLimits()
        limits.maximumWaitingWork = 1000
        limits.maximumWorkPerTurn = 10
        return try Reactor(limits: limits, kernel: FaultyKernel())
    }

    /// Submits until it is refused, at most 5,000 pieces; how many were accepted.
    private func fill(_ reactor: Reactor, _ runs: Runs, from first: Int) -> Int {
        var count = 0
        while count < 5000,
            reactor.remote.submit({ [first, count] _ in runs.add(first + count) }).isAccepted
        {
            count += 1
        }
        return count
    }

    @Test func `pieces that the loop has taken and not run count as waiting`() throws {
        let reactor = try reactor()
        let runs = Runs()
        var accepted = fill(reactor, runs, from: 0)
        #expect(accepted == 1000)
        for _ in 0..<50 {
            let before = runs.all.count
            try reactor.turn()
            #expect(runs.all.count == before + 10)
            let more = fill(reactor, runs, from: accepted)
            #expect(more == 10, "\(accepted + more - runs.all.count) wait")
            if more != 10 { break }
            accepted += more
        }
    }

    @Test func `all that was accepted is run once and in order, also beyond many turns`() throws {
        let reactor = try reactor()
        let runs = Runs()
        var accepted = 0
        for _ in 0..<20 {
            accepted += fill(reactor, runs, from: accepted)
            try reactor.turn(times: 3)
        }
        reactor.stop()
        try reactor.run()
        #expect(accepted >= 1000 && runs.all == Array(0..<accepted))
    }

    @Test func `work that submits work while it runs finds only the places that are free`() throws {
        let reactor = try reactor()
        let runs = Runs()
        let accepted = Locked(0)
        let first = reactor.submit { reactor in
            for _ in 0..<5000 where reactor.submit({ _ in runs.add(0) }).isAccepted {
                accepted.withLock { $0 += 1 }
            }
        }
        #expect(first == .accepted)
        for _ in 0..<999 { #expect(reactor.submit { _ in runs.add(0) } == .accepted) }
        try reactor.turn()
        // One piece began, nine others ran after it.
        let inside = accepted.withLock { $0 }
        #expect((0...1).contains(inside), "\(inside) were accepted while 999 waited")
    }
}
