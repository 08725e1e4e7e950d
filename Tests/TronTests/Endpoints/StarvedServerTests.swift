// A server without a descriptor accepts as soon as this reactor has given one back, whoever did.
import Glibc
import Testing

@testable import Tron

@Suite struct StarvedServerTests {
    /// What gives its descriptor back.
    enum Giver: CaseIterable {
        case cancelledAttempt, lateAttempt, refusedAttempt, closedClient, clientsLateAttempt
        case session, parkedSession, otherServer
    }

    /// Fast enough to be over before the server looks again by itself.
    private let soon: Duration = .milliseconds(20)

    /// Has the giver take the last descriptor; what it returns makes it give that back.
    private func start(
        _ giver: Giver, _ bench: Bench, silent: SocketAddress
    ) throws -> () throws -> Void {
        let (reactor, kernel) = (bench.reactor, bench.kernel)
        let soon = soon
        switch giver {
        case .cancelledAttempt:
            let attempt = reactor.connectOnce(to: silent) { _ in }
            return { attempt.cancel() }
        case .lateAttempt:
            reactor.connectOnce(to: silent, timeout: soon) { _ in }
            return { kernel.advance(soon) }
        case .refusedAttempt:
            let other = try reactor.listen(on: Bench.unixName()) { _ in }
            reactor.connectOnce(to: other.address) { _ in }
            // What it is asked for next is how the connection came out.
            return {}
        case .closedClient:
            let client = reactor.makeClient(to: [silent])
            try reactor.turn()
            return { client.close() }
        case .clientsLateAttempt:
            var options = ClientOptions()
            options.connectTimeout = soon
            reactor.makeClient(to: [silent], options: options)
            try reactor.turn()
            return { kernel.advance(soon) }
        case .session:
            let peer = try bench.connect()
            return {
                bench.sessions[0].abort()
                withExtendedLifetime(peer) {}
            }
        case .parkedSession:
            let peer = try bench.connect()
            bench.sessions[0].pauseReading()
            peer.close()
            // Neither end can do anything, so the kernel would tell of nothing else.
            try reactor.turn(until: { !bench.sessions[0].watch.isInEpoll })
            return { bench.sessions[0].abort() }
        case .otherServer:
            let other = try reactor.listen(on: Bench.unixName()) { _ in }
            return { other.stop() }
        }
    }

    @Test(arguments: Giver.allCases)
    func `a descriptor that comes back is used at once`(giver: Giver) throws {
        let bench = try Bench()
        let kernel = bench.kernel
        kernel.isFrozen = true
        // A listener whose queue is full drops what asks to connect.
        let silent = try Peer(listeningWithoutRoom: ())
        let crowd = try (0..<2).map { _ in try Peer(startingTo: silent.localAddress) }
        let giveBack = try start(giver, bench, silent: silent.localAddress)
        let most = kernel.openDescriptors.count
        var isRefusing = false
        kernel.fault = { [unowned kernel] call, _, _ in
            switch call {
            case .accept where kernel.openDescriptors.count >= most: return .error(EMFILE)
            case .socketError where isRefusing: return .error(ECONNREFUSED)
            default: return nil
            }
        }
        isRefusing = giver == .refusedAttempt
        let count = bench.sessions.count
        let peer = try Peer(to: bench.server.address)
        let began = kernel.clock
        if !isRefusing {
            try bench.reactor.turn(times: 3)
            #expect(bench.server.counters.exhaustions == 1 && bench.sessions.count == count)
        }
        try giveBack()
        // Well before the 50 ms after which the server would look by itself.
        try bench.reactor.turn(until: { bench.sessions.count > count }, atMost: 10)
        #expect(kernel.clock - began <= soon.clampedNanoseconds)
        withExtendedLifetime((peer, crowd, silent)) {}
    }
}
