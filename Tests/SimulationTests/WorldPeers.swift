// Who is out there: callers of the run's servers, far peers, and a network that is cut.
import TronTestKit

@testable import Tron

extension World {
    /// Callers of the library's servers, some of them all at once.
    func planCallers(within length: Int) {
        guard !servers.isEmpty else { return }
        let isBurst = run.faults.isOn(.burst)
        let count = isBurst ? chance.between(5, 9) : chance.pick(0, 1, 3, 6)
        let start = chance.time(upToMilliseconds: length)
        for _ in 0..<count {
            let delay = isBurst ? start : chance.time(upToMilliseconds: length)
            kernel.network.after(delay) { self.call() }
        }
    }

    private func call() {
        guard let server = chance.pick(from: servers) else { return }
        let host = chance.pick(from: Array(Self.callers)) ?? 0
        let port = UInt16(1024 + run.nextSerial() % 60_000)
        let isIPv6 = if case .ipv6 = server.server.address { true } else { false }
        let end = kernel.network.makeEnd(
            isLibrary: false,
            local: isIPv6
                ? .ipv6(high: 0xfd00 << 48, low: UInt64(host), scope: 0, port: port)
                : .ipv4(host: host, port: port))
        if run.faults.isOn(.burst) { end.latency = 1000 }
        drawHeader(end, from: host, to: server)
        let peer = Peer(end, kernel.network, isCaller: true, isRelayed: isRelaying)
        end.phase = .connecting
        peer.begin()
        let address = server.server.address
        kernel.network.after(end.latency) { self.kernel.network.knock(end, at: address) }
    }

    /// Somebody listens at an address that is not the library's.
    func acceptAfar(_ end: End, _ address: SocketAddress) -> Bool {
        guard address == unixAddress || peerAddresses.contains(address) else { return false }
        let far = kernel.network.makeEnd(isLibrary: false, local: address)
        let peer = Peer(far, kernel.network, isCaller: false, isRelayed: isRelaying)
        kernel.network.establish(end, far)
        peer.begin()
        return true
    }

    func planDisturbances(within length: Int) {
        let kinds = [Fault.partitionOneWay, .partitionBothWays].filter(run.faults.isOn)
        for _ in 0..<(kinds.isEmpty ? 0 : chance.pick(2, 10)) {
            kernel.network.after(chance.time(upToMilliseconds: length)) {
                if let kind = self.chance.pick(from: kinds) { self.partition(kind) }
            }
        }
        if chance.hits(100) {
            kernel.network.after(chance.time(upToMilliseconds: length)) {
                self.submitFromElsewhere()
            }
        }
        if chance.hits(500) {
            kernel.network.after(chance.time(upToMilliseconds: length)) { self.takePath() }
        }
    }

    /// Another process takes the path of a server's socket: its file is not to be removed.
    private func takePath() {
        guard let path = chance.pick(from: kernel.network.files.keys.sorted()) else { return }
        let number = UInt64(run.nextSerial())
        kernel.network.files[path] = number
        strangersFiles[path] = number
    }

    /// The network is cut for a while between the ends of some connection; of one on which
    /// something is under way, if there is one.
    private func partition(_ kind: Fault) {
        let connected = kernel.network.ends.filter { $0.phase == .connected && !$0.isClosed }
        let busy = connected.filter { !$0.outbox.isEmpty }
        guard let end = chance.pick(from: busy) ?? chance.pick(from: connected) else { return }
        let length = chance.time(upToMilliseconds: chance.pick(100, 20_000))
        let isBothWays = kind == .partitionBothWays
        kernel.network.partition(end, until: run.clock + length, bothWays: isBothWays)
        if chance.hits(200) {
            kernel.network.after(length) { self.kernel.network.timeOut(end) }
        }
    }
}
