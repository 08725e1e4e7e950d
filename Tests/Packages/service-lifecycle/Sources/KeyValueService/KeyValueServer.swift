// The server: requests go to an actor, which answers them later.
import Logging
import Tron

/// Serves a `Store`.
///
/// A request is a packet: category 1 gets, 2 sets. Its data is the key's length in a byte, the key,
/// and for a set the value. The answer's data is a byte, 0 when there was no such key and 1 when
/// there was; to a get the value follows. What is no request ends its connection.
public struct KeyValueServer: Sendable {
    /// Where it listens.
    public var address: SocketAddress
    /// How much later a set is answered, as by a disk.
    public var delay: Duration = .zero
    /// How long its drain may take.
    public var deadline: Duration = .seconds(8)
    /// Who is told what happens.
    public var logger: Logger

    /// With the defaults.
    public init(on address: SocketAddress, logger: Logger) {
        self.address = address
        self.logger = logger
    }

    /// What a service lifecycle runs.
    public var service: ReactorService {
        ReactorService(drainingWithin: deadline) { reactor in
            reactor.observe(with: logger)
            let (store, remote) = (Store(delay: delay), reactor.remote)
            try reactor.listen(on: address) { session in
                session.onPacket { session, packet in
                    guard let request = Request(packet) else { return session.close() }
                    // From here on an answer is owed: a drain waits for it.
                    let address = session.replyAddress(of: packet)
                    Task { remote.reply(to: address, data: await store.answer(request)) }
                }
            }
        }
    }
}
