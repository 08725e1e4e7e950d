// A load of echoed packets: so many connections, each with so many packets in flight.
import Tron

struct LoadOptions {
    enum Kind {
        case packets
        /// Requests of one client, with a completion.
        case requests
        /// Requests of one client, awaited by tasks.
        case awaited
        /// Packets to all members of a room, by its group.
        case room
        /// The same by a loop of sends.
        case loop
    }

    var kind = Kind.packets
    var connections = 10
    /// Packets in flight on each connection.
    var window = 64
    /// Bytes of data in each packet.
    var size = 64
    /// Packets in all, there and back.
    var packets = 100_000
}

/// Sends the packets over its connections, checks that each comes back, and stops the reactor.
///
/// Every answer is followed by the next packet until all are sent. So a run of 3n packets does
/// just what one of n does, but for 2n packets more in the steady state: the difference of any
/// two counts, of system calls or allocations, is that of 2n packets.
final class Load {
    private let reactor: Reactor
    private let options: LoadOptions
    private let data: [UInt8]
    private var unsent: Int
    private var answered = 0
    private(set) var failure: String?

    init(_ options: LoadOptions, reactor: Reactor) {
        self.options = options
        self.reactor = reactor
        data = [UInt8](repeating: 0x0d, count: options.size)
        unsent = options.packets
    }

    /// Returns how many packets came back.
    func run() throws -> Int {
        let port = try reactor.serveEchoes()
        for _ in 0..<options.connections {
            reactor.connectOnce(to: .loopback(port: port)) { [self] result in
                switch result {
                case .success(let session): start(session)
                case .failure(let error): fail("\(error)")
                }
            }
        }
        try reactor.run()
        return answered
    }

    private func start(_ session: Session) {
        session.onPacket { [self] session, packet in
            if packet.data.byteCount != options.size { fail("an answer of another size") }
            answered += 1
            if answered == options.packets { reactor.stop() }
            send(on: session)
        }
        session.onClose { [self] _, reason in
            if answered < options.packets { fail("\(reason)") }
        }
        for _ in 0..<options.window { send(on: session) }
    }

    private func send(on session: Session) {
        guard unsent > 0 else { return }
        unsent -= 1
        if session.send(category: 1, data: data) != .queued { fail("a packet was refused") }
    }

    private func fail(_ reason: String) {
        failure = failure ?? reason
        reactor.stop()
    }
}

extension Reactor {
    /// Serves echoes on this reactor, and returns the port.
    func serveEchoes() throws -> UInt16 {
        let server = try listen(on: .loopback(port: 0)) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        return server.address.port ?? 0
    }
}
