// A load of broadcasts: one packet to every member of a room, by a group or by a loop of sends.
import Tron

/// Says the next packet once all members have the one before, and stops the reactor after the last.
/// What the two ways cost more or less than each other is theirs alone: the rest is the same.
final class RoomLoad {
    private let reactor: Reactor
    private let group: SessionGroup
    private let options: LoadOptions
    private let data: [UInt8]
    private var members: [Session] = []
    private var unsaid: Int
    private var heard = 0
    private(set) var total = 0
    private(set) var failure: String?

    init(_ options: LoadOptions, reactor: Reactor) {
        self.options = options
        self.reactor = reactor
        group = reactor.makeGroup()
        data = [UInt8](repeating: 0x0d, count: options.size)
        unsaid = options.packets
    }

    /// Returns how many packets arrived.
    func run() throws -> Int {
        let server = try reactor.listen(on: SocketAddress.loopback(port: 0)) { [self] session in
            group.add(session)
            members.append(session)
            if members.count == options.connections { say() }
        }
        for _ in 0..<options.connections {
            reactor.connectOnce(to: server.address) { [self] result in
                guard let session = try? result.get() else { return fail("no connection") }
                session.onPacket { [self] _, packet in
                    if packet.data.byteCount != options.size { fail("a wrong packet") }
                    total += 1
                    heard += 1
                    if heard == options.connections { say() }
                }
            }
        }
        try reactor.run()
        return total
    }

    private func say() {
        if unsaid == 0 { return reactor.stop() }
        unsaid -= 1
        heard = 0
        if options.kind == .room {
            group.send(category: 1, data: data)
        } else {
            for member in members { member.send(category: 1, data: data) }
        }
    }

    private func fail(_ reason: String) {
        failure = failure ?? reason
        reactor.stop()
    }
}
