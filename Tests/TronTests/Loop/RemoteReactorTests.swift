// A reactor as other threads hold it: it makes nobody wait, and keeps nothing alive.
import Glibc
import Synchronization
import Testing

@testable import Tron

@Suite struct RemoteReactorTests {
    private final class Gate: Sendable {
        let hasBegun = Atomic(false)
        let isOpen = Atomic(false)
    }

    /// The loop does not go on before the calls have returned.
    @Test func `calls from another thread return while the loop is busy`() async throws {
        let gate = Gate()
        let loop = try ReactorThread()
        loop.remote.submit { _ in
            gate.hasBegun.store(true, ordering: .releasing)
            while !gate.isOpen.load(ordering: .acquiring) { sched_yield() }
        }
        while !gate.hasBegun.load(ordering: .acquiring) { await Task.yield() }
        for _ in 0..<100 { #expect(loop.remote.submit { _ in } == .accepted) }
        loop.remote.stop()
        loop.remote.stop()
        gate.isOpen.store(true, ordering: .releasing)
        await loop.awaitEnd()
    }

    @Test func `who holds it holds no reactor, and is refused when that has gone`() throws {
        var reactor: Reactor? = try Reactor()
        weak var kept = reactor
        let remote = try #require(reactor).remote
        #expect(remote.submit { _ in } == .accepted)
        reactor = nil
        #expect(kept == nil && remote.submit { _ in } == .stopped)
        remote.stop()
    }
}
