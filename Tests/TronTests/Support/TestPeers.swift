// What most tests of sessions stand on: a reactor on a fake clock, a server, and raw peers.
import Glibc
import Synchronization
import Testing

@testable import Tron

/// A plain nonblocking client socket that the library knows nothing of.
final class Peer {
    private(set) var descriptor: Int32
    /// Everything `drain` has read.
    private(set) var received: [UInt8] = []
    private(set) var isAtEnd = false
    /// The errno that ended reading, 0 for none.
    private(set) var error: Int32 = 0

    /// Connects; loopback and Unix listeners answer at once, before they accept.
    init(to address: SocketAddress, receiveBuffer: Int32? = nil) throws {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        descriptor = socket(address.family, kind, 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
        }
        let number = descriptor
        let result = address.withRawAddress { raw, length in
            connect(number, raw.assumingMemoryBound(to: sockaddr.self), length)
        }
        if result != 0 { throw SystemError(.connect, code: errno) }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    /// A listener on a loopback port that never accepts, with a queue for one.
    init(listeningWithoutRoom: Void) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let number = descriptor
        let result = SocketAddress.loopback(port: 0).withRawAddress { raw, length in
            bind(number, raw.assumingMemoryBound(to: sockaddr.self), length)
        }
        if result != 0 || listen(descriptor, 0) != 0 { throw SystemError(.listen, code: errno) }
    }

    /// Starts to connect and does not look whether that succeeds.
    init(startingTo address: SocketAddress) throws {
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        descriptor = socket(address.family, Int32(kind), 0)
        let number = descriptor
        _ = address.withRawAddress { raw, length in
            connect(number, raw.assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    var localAddress: SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes in
            let raw = bytes.baseAddress!
            getsockname(descriptor, raw.assumingMemoryBound(to: sockaddr.self), &length)
            return SocketAddress(raw: raw, length: length) ?? .loopback(port: 0)
        }
    }

    deinit { close() }

    /// How many bytes the kernel took, or -errno.
    @discardableResult
    func send(_ bytes: some Sequence<UInt8>) -> Int {
        let array = Array(bytes)
        let result = Glibc.send(descriptor, array, array.count, Int32(MSG_NOSIGNAL))
        return result < 0 ? -Int(errno) : result
    }

    /// Reads what there is, at most `limit` bytes of it.
    func drain(atMost limit: Int = .max) {
        var left = limit
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while left > 0 && !isAtEnd && error == 0 && descriptor >= 0 {
            let count = recv(descriptor, &chunk, min(chunk.count, left), 0)
            if count < 0 {
                if errno != EAGAIN { error = errno }
                return
            }
            if count == 0 { isAtEnd = true }
            received += chunk[..<count]
            left -= count
        }
    }

    /// Reads to the end of the stream or its reset, which the reactor has caused already and the
    /// kernel may still be about to deliver.
    func drainToEnd() {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        repeat { drain() } while !isAtEnd && error == 0 && poll(&request, 1, 2000) > 0
    }

    /// Itself, after it has read what there is.
    var drained: Peer {
        drain()
        return self
    }

    /// The whole packets received so far, as texts.
    var texts: [String] { packets.map(\.text) }

    var packets: [OwnedPacket] { OwnedPacket.all(in: received) }

    /// Ends its stream (FIN).
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Neither reads nor writes any more, and keeps what it has not read.
    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Ends the connection with RST.
    func reset() {
        var value = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, size)
        close()
    }

    func close() {
        if descriptor >= 0 { ReleasedDescriptor.close(descriptor) }
        descriptor = -1
    }
}

/// A packet as it travels.
func wire(_ text: String, sequence: Int32 = -1, category: UInt8 = 1) -> [UInt8] {
    OwnedPacket(sequence: sequence, category: category, data: Array(text.utf8)).wireBytes
}

extension Reactor {
    /// Takes turns until the condition holds; fails the test when it does not in time.
    func turn(
        until condition: () -> Bool, atMost turns: Int = 1000,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for _ in 0..<turns {
            if condition() { return }
            try turn()
        }
        #expect(condition(), "not within \(turns) turns", sourceLocation: sourceLocation)
    }

    func turn(times: Int) throws {
        for _ in 0..<times { try turn() }
    }
}

/// What the sessions of a bench told. Handlers hold it in place of the bench, which would keep
/// its reactor alive by them.
final class Log {
    var sessions: [Session] = []
    var reasons: [CloseReason] = []
    /// The texts of the packets of all sessions, in order.
    var texts: [String] = []
    /// Whatever a test notes.
    var notes: [String] = []
}

/// A reactor on a fake clock with one server, and the log of its sessions.
final class Bench {
    enum Transport {
        case unix
        case ipv4
        case ipv6
    }

    let kernel: FaultyKernel
    let reactor: Reactor
    let server: Server
    let log = Log()

    var sessions: [Session] { log.sessions }
    var reasons: [CloseReason] { log.reasons }
    var texts: [String] { log.texts }

    private static let names = Atomic(0)

    /// A name that no other test uses, in the abstract namespace, so that no file is left.
    static func unixName() -> String {
        let number = names.wrappingAdd(1, ordering: .relaxed).newValue
        return "unix:@tron-bench-\(getpid())-\(number)"
    }

    /// Sessions note their packets and their end; `setup` may replace that.
    init(
        _ transport: Transport = .unix, options: ServerOptions = ServerOptions(),
        limits: ReactorLimits = ReactorLimits(), kernel: FaultyKernel = FaultyKernel(),
        setup: @escaping (Session, Log) -> Void = { _, _ in }
    ) throws {
        self.kernel = kernel
        reactor = try Reactor(limits: limits, kernel: kernel)
        let address =
            switch transport {
            case .unix: Bench.unixName()
            case .ipv4: "127.0.0.1:0"
            case .ipv6: "[::1]:0"
            }
        server = try reactor.listen(on: address, options: options) { [log] session in
            log.sessions.append(session)
            session.onPacket { _, packet in log.texts.append(packet.text) }
            session.onClose { _, reason in log.reasons.append(reason) }
            setup(session, log)
        }
    }

    convenience init(
        _ transport: Transport = .unix, session options: SessionOptions,
        limits: ReactorLimits = ReactorLimits(), kernel: FaultyKernel = FaultyKernel(),
        setup: @escaping (Session, Log) -> Void = { _, _ in }
    ) throws {
        var server = ServerOptions()
        server.session = options
        try self.init(transport, options: server, limits: limits, kernel: kernel, setup: setup)
    }

    /// A peer, and turns until the server has its session.
    func connect(receiveBuffer: Int32? = nil) throws -> Peer {
        let count = sessions.count
        let peer = try Peer(to: server.address, receiveBuffer: receiveBuffer)
        try reactor.turn(until: { sessions.count > count })
        return peer
    }

    /// Turns until so many sessions have told their end.
    func turnUntilClosed(
        _ count: Int = 1, atMost turns: Int = 1000,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try reactor.turn(
            until: { reasons.count >= count }, atMost: turns, sourceLocation: sourceLocation)
    }
}
