// A network that the test makes up: what becomes of each connection attempt, on a fake clock.
import Glibc
import Testing

@testable import Tron

/// What becomes of an attempt to connect.
enum DialFate {
    case connects
    case refuses(Int32)
    /// Refuses only after the call: SO_ERROR tells.
    case refusesLater(Int32)
    case hangs
    case connectsToItself
}

/// Sockets are eventfds: writable is connected, readable has something to receive. So thousands of
/// clients need one descriptor each and no peer.
final class NetworkKernel: FaultyKernel, @unchecked Sendable {
    /// Asked with the address and the attempt's number from 1.
    var fate: (SocketAddress, Int) -> DialFate = { _, _ in .connects }
    /// What socket() fails with.
    var socketFault: Int32 = 0
    var resolution: @Sendable (String) -> Result<[SocketAddress], ResolutionError> = {
        .failure(ResolutionError(host: $0, message: "unknown"))
    }
    private(set) var dials: [(time: Int64, address: SocketAddress)] = []
    /// The sockets that are open.
    override var sockets: Set<Int32> { dialing }
    private var dialing: Set<Int32> = []
    private var fates: [Int32: (fate: DialFate, address: SocketAddress)] = [:]
    private var incoming: [Int32: [UInt8]] = [:]

    /// Has the session receive something, or with nothing its peer's end of stream.
    func deliver(_ bytes: [UInt8], to session: Session) {
        let number = session.descriptor
        incoming[number, default: []] += bytes
        var one: UInt64 = 1
        _ = Glibc.write(number, &one, 8)
    }

    override func socket(family: Int32) -> Int {
        if socketFault != 0 { return -Int(socketFault) }
        let number = super.eventDescriptor()
        if number >= 0 { dialing.insert(Int32(number)) }
        return number
    }

    override func connect(_ number: Int32, _ raw: UnsafeRawPointer, _ length: UInt32) -> Int {
        guard let address = SocketAddress(raw: raw, length: length) else { return -Int(EINVAL) }
        dials.append((clock, address))
        let fate = fate(address, dials.count)
        fates[number] = (fate, address)
        switch fate {
        case .refuses(let code): return -Int(code)
        case .hangs:
            var full = UInt64.max - 1
            _ = Glibc.write(number, &full, 8)
        case .connects, .refusesLater, .connectsToItself: break
        }
        return -Int(EINPROGRESS)
    }

    override func socketError(_ number: Int32, _ error: UnsafeMutablePointer<Int32>) -> Int {
        if case .refusesLater(let code) = fates[number]?.fate { error.pointee = code }
        return 0
    }

    override func localAddress(
        _ number: Int32, _ address: UnsafeMutableRawPointer, _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        var local = SocketAddress.ipv4(host: 1, port: 1)
        if let (fate, target) = fates[number], case .connectsToItself = fate { local = target }
        local.withRawAddress { raw, count in
            address.copyMemory(from: raw, byteCount: Int(count))
            length.pointee = count
        }
        return 0
    }

    override func receive(
        _ number: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int
    ) -> Int {
        guard let waiting = incoming.removeValue(forKey: number) else { return -Int(EAGAIN) }
        var counter: UInt64 = 0
        _ = Glibc.read(number, &counter, 8)
        waiting.withUnsafeBytes { bytes.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        return waiting.count
    }

    override func close(_ number: Int32) -> Int {
        if dialing.remove(number) != nil {
            fates[number] = nil
            incoming[number] = nil
        }
        return super.close(number)
    }

    override func send(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int { count }

    override func shutdownWriting(_ number: Int32) -> Int { 0 }

    override func setLingerZero(_ number: Int32) -> Int { 0 }

    override func setOption(_ number: Int32, level: Int32, name: Int32, value: Int32) -> Int { 0 }

    override func resolve(_ host: String) -> Result<[SocketAddress], ResolutionError> {
        resolution(host)
    }

    /// Nothing arrives by itself here: only other threads, for which a wait without end leaves
    /// time.
    override func epollWait(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, nanoseconds: Int64
    ) -> Int {
        if nanoseconds < 0 {
            return super.epollWait(epoll, list, count, nanoseconds: nanoseconds)
        }
        let found = super.epollWait(epoll, list, count, nanoseconds: 0)
        if found == 0 && !isFrozen { clock += nanoseconds }
        return found
    }
}

/// What clients told.
final class ClientLog {
    var states: [ClientState] = []
    /// When each state was told, in seconds.
    var times: [Double] = []
    var notes: [String] = []

    /// The delays that were told.
    var delays: [Duration] {
        states.compactMap { if case .waiting(let delay, _) = $0 { delay } else { nil } }
    }
}

/// A reactor on a made-up network.
final class NetworkBench {
    let kernel = NetworkKernel()
    let reactor: Reactor
    let log = ClientLog()

    init(limits: ReactorLimits = ReactorLimits()) throws {
        reactor = try Reactor(limits: limits, kernel: kernel)
    }

    /// A client whose states are noted.
    func connect(
        to address: String = "10.0.0.1:9000",
        _ backoff: Backoff = Backoff(initial: .seconds(3), multiplier: 2, attempts: 4),
        options: ClientOptions = ClientOptions(), setup: @escaping (Session) -> Void = { _ in }
    ) -> Client {
        note(reactor.makeClient(to: address, reconnecting: backoff, options: options, setup: setup))
    }

    func note(_ client: Client) -> Client {
        client.onStateChange { [log, kernel] _, state in
            log.states.append(state)
            log.times.append(Double(kernel.clock) / 1e9)
        }
        return client
    }

    func turn(
        until condition: () -> Bool, atMost turns: Int = 1000,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try reactor.turn(until: condition, atMost: turns, sourceLocation: sourceLocation)
    }
}

extension ClientState {
    var isConnected: Bool { self == .connected }

    var isWaiting: Bool { if case .waiting = self { true } else { false } }
}
