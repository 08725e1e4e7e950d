// Servers behind proxies: who is believed, what a session then says of its client, and by when.
import TronTestKit

@testable import Tron

extension World {
    /// The hosts that callers come from. Proxies are behind the first two.
    static let callers: ClosedRange<UInt32> = 0x0a08_0001...0x0a08_0003
    static let proxies: ClosedRange<UInt32> = 0x0a08_0001...0x0a08_0002

    static let networks: [Network] = {
        let texts = ["10.8.0.1", "10.8.0.2", "fd00::a08:1", "fd00::a08:2"]
        return texts.compactMap { try? Network($0) }
    }()

    /// Has a server require headers, now and then.
    func drawProxies(_ options: inout ServerOptions, _ address: SocketAddress) {
        guard habits.has(.proxies), !address.isUnix, chance.hits(400) else { return }
        options.proxyProtocol = .required(
            from: Self.networks, within: .milliseconds(chance.pick(20, 300, 5000)))
        if run.faults.isOn(.capHit) {
            options.limits.maximumConnectionsWithoutHeader = chance.pick(1, 2, 100)
        }
    }

    /// A caller of a server behind proxies: most have a header, and one in three made it up.
    func drawHeader(_ caller: End, from host: UInt32, to server: ServerRecord) {
        guard server.options.proxyProtocol != nil else { return }
        caller.header = ProxyHeader.drawn(from: chance)
        caller.isProxy = Self.proxies.contains(host)
    }

    // MARK: Those without a session

    /// Before a sleep: whoever is not believed is gone, and whoever has yet to say whose its
    /// connection is has time left, has not said it, and is told nothing.
    func watchArrivals(_ nanoseconds: Int64) {
        kernel.table.forEach { file in
            guard let end = file.end, end.wasAccepted, end.record == nil,
                let server = servers.first(where: { $0.server.address == end.local }),
                let rule = server.options.proxyProtocol
            else { return }
            end.arrivalSince = end.arrivalSince ?? run.turnStart
            guard nanoseconds != 0, let since = end.arrivalSince else { return }
            let deadline = since + rule.timeLimit.clampedNanoseconds + 2 * Obligations.tick
            run.expect(
                run.turnStart < deadline && nanoseconds > 0
                    && nanoseconds <= max(0, deadline - run.clock),
                "a proxy may take longer than \(rule.timeLimit) for its header")
            guard let caller = end.other, caller.isProxy, let header = caller.header else {
                return run.fail("a connection is kept that comes from no proxy")
            }
            switch header.meaning {
            case .client:
                run.expect(
                    end.receivedTotal < header.bytes.count, "a header is whole, and no session")
            case .fault(let fault, let count):
                run.expect(end.receivedTotal < count, "a header is kept with its fault: \(fault)")
            case .cut: break
            }
        }
    }

    /// At the end: who was not believed was neither read nor told anything, and who had not said
    /// whose its connection is was told nothing either.
    func checkArrivals() {
        for server in servers where server.options.proxyProtocol != nil {
            let all = kernel.network.ends.filter {
                $0.wasAccepted && $0.local == server.server.address
            }
            for end in all where end.record == nil {
                run.expect(end.sentTotal == 0, "something was sent before a header had come")
                let isRead = end.receivedTotal > 0
                run.expect(
                    !isRead || end.other?.isProxy == true, "bytes of a made-up header were read")
            }
            let counters = server.server.counters
            let known =
                counters.accepted + counters.refusedByLimit + counters.refusedByAddressLimit
                + counters.proxy.total
            run.expect(
                known <= all.count && all.count <= known + counters.failed,
                "of \(all.count) connections a server counts \(counters)")
            for _ in 0..<counters.proxy.untrusted { run.met(.proxyNotBelieved) }
            for _ in 0..<counters.proxy.faulty { run.met(.proxyFaulty) }
            for _ in 0..<counters.proxy.late { run.met(.proxyLate) }
            for _ in 0..<counters.proxy.ended { run.met(.proxyEnded) }
            if counters.proxy.tooMany > 0 { run.met(.capHit) }
        }
    }

    /// Whether a refusal that was told as an event was due.
    func judge(_ refusal: ReactorEvent.Refusal, of peer: SocketAddress?) {
        guard
            let caller = kernel.network.ends.first(where: {
                !$0.isLibrary && $0.local == peer && $0.header != nil
            }), let header = caller.header, let end = caller.other
        else { return }
        let isDue: Bool
        switch refusal {
        case .untrustedProxy: isDue = !caller.isProxy
        case .proxyHeader(let fault):
            guard case .fault(fault, let count) = header.meaning else {
                return run.fail("a header was refused: \(fault)")
            }
            isDue = caller.isProxy && end.receivedTotal >= count
        case .lateProxyHeader, .endedBeforeProxyHeader:
            isDue = caller.isProxy && !(header.isSound && end.receivedTotal >= header.bytes.count)
        case .connectionsWithoutHeader, .stoppedBeforeProxyHeader: isDue = caller.isProxy
        case .sessions, .sessionsPerAddress: isDue = true
        // Only what another reactor has accepted comes to a server that has stopped.
        case .serverStopped: isDue = false
        }
        run.expect(isDue, "a connection was refused: \(refusal)")
    }
}
