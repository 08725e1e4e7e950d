// Calls that the kernel refuses at a bad moment: what the reactor, a session or a drain does.
import Glibc
import Testing

@testable import Tron

@Suite struct RefusedCallTests {
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

    /// Cell: work from another thread, read EIO for good from 1.
    @Test func `a wake-up that cannot be read ends the run, and its work is done`() throws {
        let kernel = FaultyKernel()
        kernel.fault = { call, _, _ in call == .read ? .error(EIO) : nil }
        let reactor = try Reactor(kernel: kernel)
        let remote = reactor.remote
        nonisolated(unsafe) var isDone = false
        OtherThread.run { _ = remote.submit { _ in isDone = true } }
        #expect(throws: SystemError(.read, code: EIO)) { try reactor.run() }
        #expect(isDone && kernel.waits == 1)
    }

    /// Cell: signals, read EIO for good from 1.
    @Test func `signals that cannot be read end the run`() throws {
        let kernel = FaultyKernel()
        kernel.fault = { call, _, _ in call == .read ? .error(EIO) : nil }
        let reactor = try Reactor(kernel: kernel)
        try reactor.onSignal(Signal(rawValue: SIGURG)) { _ in }
        TestSignals.raiseHere(SIGURG)
        #expect(throws: SystemError(.read, code: EIO)) { try reactor.run() }
        #expect(kernel.waits == 1)
    }

    /// Cell: work from another thread, write EIO once at 1.
    @Test func `a wake-up that the kernel refused is made up for by the next`() throws {
        let kernel = FaultyKernel()
        kernel.countsWrites = true
        kernel.fault = { call, number, _ in call == .write && number == 1 ? .error(EIO) : nil }
        let reactor = try Reactor(kernel: kernel)
        let remote = reactor.remote
        nonisolated(unsafe) var done: [Int] = []
        for number in 1...3 {
            OtherThread.run { _ = remote.submit { _ in done.append(number) } }
        }
        #expect(kernel.calls[.write] == 2)
        try reactor.turn()
        #expect(done == [1, 2, 3])
    }

    /// Seen in cells that ran while another test started a process: as long as its child had copies
    /// of the descriptors, epoll went on reporting those that were closed here.
    @Test func `a closed session's descriptor is not heard of again while a copy of it is open`()
        throws
    {
        let bench = try Bench()
        let peer = try bench.connect()
        let copy = dup(bench.sessions[0].descriptor)
        defer { close(copy) }
        bench.sessions[0].abort()
        try bench.turnUntilClosed()
        peer.send(wire("to nobody"))
        let emptyWaits = bench.kernel.emptyWaits
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 5)
        #expect(bench.kernel.emptyWaits == emptyWaits + 5)
    }

    /// Cell: half close, send EAGAIN for good from 1.
    @Test func `output that is lost with the peer is not reported as sent`() throws {
        var options = SessionOptions()
        options.allowsHalfClose = true
        let bench = try Bench(session: options) { session, log in
            session.onPeerFinished { session in
                log.notes.append("finished")
                session.send(category: 1, data: "too late")
            }
        }
        let peer = try bench.connect()
        bench.kernel.fault = { call, _, _ in call == .send ? .error(EAGAIN) : nil }
        peer.finish()
        try bench.reactor.turn(until: { !bench.log.notes.isEmpty })
        bench.kernel.fault = { _, _, _ in nil }
        peer.close()
        try bench.turnUntilClosed()
        #expect(bench.reasons == [.system(SystemError(.send, code: EPIPE))])
    }
}
