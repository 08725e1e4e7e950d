// Connecting once: decided exactly once, in time, and never before the call returns.
import Glibc
import Testing

@testable import Tron

@Suite struct ConnectorTests {
    private typealias Outcome = Result<Session, ConnectError>

    private func failure(_ outcome: Outcome?) -> ConnectError? {
        guard case .failure(let error) = outcome else { return nil }
        return error
    }

    @Test(arguments: [Bench.Transport.ipv4, .ipv6, .unix])
    func `a connection comes with a session that speaks`(transport: Bench.Transport) throws {
        let bench = try Bench(transport)
        var outcomes: [Outcome] = []
        bench.reactor.connectOnce(to: bench.server.address) { outcomes.append($0) }
        #expect(outcomes.isEmpty)
        try bench.reactor.turn(until: { !outcomes.isEmpty })
        let session = try outcomes[0].get()
        #expect(session.isOpen && session.remoteAddress == bench.server.address)
        session.send(category: 1, data: "hello")
        try bench.reactor.turn(until: { bench.texts == ["hello"] })
        try bench.reactor.turn()
        #expect(outcomes.count == 1)
        session.close()
        try bench.turnUntilClosed()
    }

    @Test func `nobody listening is refused with the address and the call`() throws {
        for transport in [Bench.Transport.ipv4, .unix] {
            let bench = try Bench(transport)
            let address = bench.server.address
            bench.server.stop()
            var outcomes: [Outcome] = []
            bench.reactor.connectOnce(to: address) { outcomes.append($0) }
            #expect(outcomes.isEmpty)
            try bench.reactor.turn(until: { !outcomes.isEmpty })
            let cause = SystemError(.connect, code: ECONNREFUSED)
            #expect(failure(outcomes[0]) == .refused(EndpointError(address: address, cause: cause)))
            #expect(bench.kernel.openDescriptors.count == 2)
        }
    }

    @Test func `silence ends with timedOut at the time limit`() throws {
        // A listener whose queue is full drops what asks to connect.
        let listener = try Peer(listeningWithoutRoom: ())
        let crowd = try (0..<2).map { _ in try Peer(startingTo: listener.localAddress) }
        let kernel = FaultyKernel()
        let reactor = try Reactor(kernel: kernel)
        var outcome: Outcome?
        let start = kernel.clock
        reactor.connectOnce(to: listener.localAddress, timeout: .seconds(4)) { outcome = $0 }
        try reactor.turn(until: { outcome != nil })
        #expect(failure(outcome) == .timedOut(listener.localAddress))
        #expect((4_000_000_000...4_001_000_000).contains(kernel.clock - start))
        #expect(kernel.openDescriptors.count == 2 && crowd.count == 2)
    }

    @Test func `a cancelled attempt is told so once and leaves nothing`() throws {
        let bench = try Bench(.ipv4)
        var outcomes: [Outcome] = []
        let connector = bench.reactor.connectOnce(to: bench.server.address) { outcomes.append($0) }
        connector.cancel()
        connector.cancel()
        #expect(outcomes.isEmpty)
        try bench.reactor.turn(times: 3)
        connector.cancel()
        try bench.reactor.turn()
        #expect(outcomes.map { failure($0) } == [.cancelled])
        #expect(bench.reactor.registry.wheel.count <= bench.server.sessionCount)
    }

    @Test func `an attempt that the stop of the reactor meets is cancelled`() throws {
        let bench = try Bench(.ipv4)
        var outcome: Outcome?
        bench.reactor.connectOnce(to: bench.server.address) { outcome = $0 }
        bench.reactor.stop()
        try bench.reactor.run()
        #expect(failure(outcome) == .cancelled)
        #expect(bench.kernel.openDescriptors.count == 2)
    }

    @Test(arguments: [KernelCall.socket, .setOption, .connect, .epollControl])
    func `whatever call fails is named and nothing stays open`(call: KernelCall) throws {
        let bench = try Bench(.ipv4)
        let open = bench.kernel.openDescriptors
        bench.kernel.fault = { failed, _, _ in failed == call ? .error(ENETUNREACH) : nil }
        var outcomes: [Outcome] = []
        bench.reactor.connectOnce(to: bench.server.address) { outcomes.append($0) }
        bench.kernel.fault = { _, _, _ in nil }
        try bench.reactor.turn(times: 3)
        guard case .refused(let error) = failure(outcomes.first) else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(error.cause.code == ENETUNREACH && outcomes.count == 1)
        #expect(bench.kernel.openDescriptors == open)
        #expect(bench.reactor.registry.wheel.count == 0)
    }

    @Test func `who dials anew at every refusal does not hold the turn`() throws {
        let bench = try Bench()
        let address = bench.server.address
        bench.server.stop()
        let reactor = bench.reactor
        let log = bench.log
        func dial() {
            reactor.connectOnce(to: address) { _ in
                log.notes.append("refused")
                if log.notes.count < 1000 { dial() }
            }
        }
        dial()
        try reactor.turn(times: 10)
        #expect((5...15).contains(log.notes.count))
        try reactor.turn(until: { log.notes.count == 1000 }, atMost: 2000)
    }
}
