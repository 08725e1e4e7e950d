// What the tests of owed replies stand on: a server that answers nothing by itself.
import Testing

@testable import Tron

/// A server that answers no request by itself, and the addresses of the requests that it was sent.
/// Its clock stands still unless a test lets it go.
final class DebtBench {
    final class Addresses {
        var all: [ReplyAddress] = []
    }

    let bench: Bench
    private let kept = Addresses()

    var reactor: Reactor { bench.reactor }
    var session: Session { bench.sessions[0] }
    var addresses: [ReplyAddress] { kept.all }

    init(
        options: ServerOptions = ServerOptions(), kernel: FaultyKernel = FaultyKernel(),
        setup: @escaping (Session, Log) -> Void = { _, _ in }
    ) throws {
        bench = try Bench(options: options, kernel: kernel) { [kept] session, log in
            session.onPacket { session, packet in
                log.texts.append(packet.text)
                kept.all.append(session.replyAddress(of: packet))
            }
            setup(session, log)
        }
        kernel.isFrozen = true
    }

    convenience init(atMost limit: Int) throws {
        var options = ServerOptions()
        options.session.limits.maximumOwedReplies = limit
        try self.init(options: options)
    }

    /// A peer that has sent so many requests, all with the same sequence, and turns until a handler
    /// has each.
    func connect(asking count: Int) throws -> Peer {
        let before = addresses.count
        let peer = try bench.connect()
        for number in 0..<count { peer.send(wire("\(number)", sequence: 7)) }
        try reactor.turn(until: { addresses.count == before + count })
        return peer
    }
}
