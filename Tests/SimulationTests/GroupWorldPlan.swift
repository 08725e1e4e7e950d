// What is asked of a simulated group: calls, packets to all and to one, and its end.
import TronTestKit

@testable import Tron

extension GroupWorld {
    /// A drain that may not last so long closes the listeners over who waits, nanoseconds.
    private static let drainWindow: Int64 = 400_000_000

    func plan() {
        let length = chance.pick(20, 300, 3000)
        for _ in 0..<chance.pick(1, 4, 20) {
            network.after(chance.time(upToMilliseconds: length)) { self.call() }
        }
        for _ in 0..<chance.pick(0, 2) {
            network.after(chance.time(upToMilliseconds: length)) { self.sendToAll() }
        }
        for _ in 0..<chance.pick(0, 4) {
            network.after(chance.time(upToMilliseconds: length)) { self.sendToOne() }
        }
        network.after(Int64(length) * 1_000_000) { self.shutDown() }
    }

    private func call() {
        guard let server else { return }
        let host = chance.pick(from: Array(World.callers)) ?? 0
        let end = network.makeEnd(
            isLibrary: false,
            local: .ipv4(host: host, port: UInt16(1024 + run.nextSerial() % 60_000)))
        if options.proxyProtocol != nil {
            end.header = ProxyHeader.drawn(from: chance)
            end.isProxy = World.proxies.contains(host)
        }
        let peer = Peer(end, network, isCaller: true)
        end.phase = .connecting
        peer.begin()
        network.after(end.latency) { self.network.knock(end, at: server.address) }
    }

    private func sendToAll() {
        guard let group else { return }
        let number = UInt64(run.nextSerial())
        broadcasts.insert(number)
        group.broadcast(category: GroupSession.broadcast, data: Payload.bytes(number, 20))
    }

    private func sendToOne() {
        guard let group, let record = chance.pick(from: sessions.filter { $0.reason == nil }) else {
            return
        }
        let number = UInt64(run.nextSerial())
        record.give(number)
        group.send(
            to: record.session.id, category: GroupSession.message, data: Payload.bytes(number, 20))
    }

    private func shutDown() {
        isShutDown = true
        run.faults.isCalm = true
        drainEnd = run.clock + deadline
        if sessions.contains(where: { $0.reason == nil }) { run.met(.groupDrained) }
        group?.shutDown()
        guard chance.hits(200) else { return }
        network.after(chance.time(upToMilliseconds: 500)) {
            self.isStopped = true
            self.group?.shutDown()
        }
    }

    func checkEnd() {
        for session in sessions where session.reason == nil {
            run.fail("the close of a group's session \(session.session.id) was never reported")
        }
        run.expect(
            server?.sessionCounts.allSatisfy { $0 == 0 } ?? false,
            "a group that has ended counts \(server?.sessionCounts ?? []) sessions")
        checkConnections()
    }

    /// Whoever had connected was accepted, unless the group was stopped at once: its drain closes
    /// no listener over connections that wait.
    private func checkConnections() {
        let all = network.ends.filter {
            $0.isLibrary && $0.local == server?.address && $0.remote != nil
        }
        for end in all where end.observer == nil {
            run.expect(end.sentTotal == 0, "a group sent something to who is no session of it")
            let isRead = end.receivedTotal > 0
            run.expect(
                !isRead || end.other?.isProxy == true, "a group read bytes of a made-up header")
        }
        let lost = all.filter { $0.isClosed && !$0.wasAccepted }
        let aborted = run.faults.counts[Fault.abortedConnection.rawValue]
        run.expect(
            isStopped || deadline < Self.drainWindow || lost.count <= aborted,
            "\(lost.count) connections were never accepted by a group that drained")
    }
}
