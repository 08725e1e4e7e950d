// The kernel of the tests: real calls with injected faults, under a clock of the test's own.
import Glibc

@testable import Tron

/// The machine's kernel with faults on order, and a clock of the test's own: time only passes when
/// nothing else happens, since a wait that finds nothing ready advances the clock by what it was to
/// wait, and returns. Counts calls and open descriptors.
///
/// What a test needs besides it sets. Two have more of their own to say: `NetworkKernel`, whose
/// network is made up, and `MatrixKernel`, whose TCP is. For one thread: what others may call,
/// `write`, is not counted.
class FaultyKernel: KernelBackend, @unchecked Sendable {
    let machine = Kernel()
    /// The clock, in nanoseconds. A test may advance it itself.
    var clock: Int64 = 1_000_000_000
    /// While true, waits leave the clock alone.
    var isFrozen = false
    /// How long, in real nanoseconds, a wait that finds nothing looks again before time passes.
    var patience: Int64 = 500_000
    /// Calls of epoll_wait, and those of them that found nothing.
    private(set) var waits = 0
    private(set) var emptyWaits = 0
    /// How often the machine's kernel was asked for them: twice when it had nothing at first.
    private(set) var looks = 0
    /// In real time, how long a wait may take at most; nil in the time of the test's clock.
    private let longestWait: Int64?
    private(set) var calls: [KernelCall: Int] = [:]
    private(set) var openDescriptors: Set<Int32> = []
    /// The flags that epoll was last given for each descriptor (operation 2 is EPOLL_CTL_DEL).
    private(set) var interests: [Int32: UInt32] = [:]
    /// Asked with the call, its number from 1, and the descriptor, if it has one.
    var fault: (KernelCall, Int, Int32) -> KernelFault? = { _, _, _ in nil }
    /// How long a wait takes, in nanoseconds, that is not to wait.
    var lookTime: Int64 = 0
    /// How long each wait was to be, in nanoseconds.
    private(set) var waited: [Int64] = []
    /// Called before the n-th wait, on the loop's thread.
    var beforeWait: (Int) -> Void = { _ in }

    /// Whether `write` is counted and may fail: where no two threads call it at the same time.
    var countsWrites = false
    /// Descriptors of accepted connections, in order; and how much of what they send the kernel
    /// takes, in bytes, nil for its own idea.
    private(set) var accepted: [Int32] = []
    var sendBuffer: Int32?
    /// The open ones of those that socket() made.
    var sockets: Set<Int32> { made }
    private var made: Set<Int32> = []
    /// How much room was first in each receive into two pieces.
    var firstRooms: [Int] = []
    /// Takes what is sent in the place of peers; nil for the truth.
    var sink: Sink?
    /// Makes a descriptor in the place of an eventfd.
    var makeEvent: (() -> Int)?
    /// What TCP_INFO tells of every connection, and how often it was asked for; nil for the truth.
    var progress: SendProgress?
    private(set) var looksAtProgress = 0

    init() { longestWait = nil }

    init(realTimeWithWaitsUpTo most: Duration) { longestWait = most.clampedNanoseconds }

    var allCalls: Int { calls.values.reduce(0, +) }

    func perform(_ call: KernelCall, _ descriptor: Int32, _ body: () -> Int) -> Int {
        transfer(call, descriptor, .max) { _ in body() }
    }

    func transfer(
        _ call: KernelCall, _ descriptor: Int32, _ count: Int, _ body: (Int) -> Int
    ) -> Int {
        calls[call, default: 0] += 1
        switch fault(call, calls[call, default: 0], descriptor) {
        case .error(let code): return -Int(code)
        case .errorAfterwards(let code):
            _ = body(count)
            return -Int(code)
        case .atMost(let most): return body(min(count, most))
        case nil: return body(count)
        }
    }

    private func opening(_ call: KernelCall, _ descriptor: Int32, _ body: () -> Int) -> Int {
        let result = perform(call, descriptor, body)
        if result >= 0 { openDescriptors.insert(Int32(result)) }
        return result
    }

    func socket(family: Int32) -> Int {
        let result = opening(.socket, -1) { machine.socket(family: family) }
        if result >= 0 { made.insert(Int32(result)) }
        return result
    }

    func bind(_ number: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        perform(.bind, number) { machine.bind(number, address, length) }
    }

    func listen(_ number: Int32, backlog: Int32) -> Int {
        perform(.listen, number) { machine.listen(number, backlog: backlog) }
    }

    func accept(
        _ number: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let result = opening(.accept, number) { machine.accept(number, address, length) }
        guard result >= 0 else { return result }
        accepted.append(Int32(result))
        if var size = sendBuffer { setsockopt(Int32(result), SOL_SOCKET, SO_SNDBUF, &size, 4) }
        return result
    }

    func adoptListener(_ number: Int32) -> Int {
        openDescriptors.insert(number)
        return machine.adoptListener(number)
    }

    func connect(_ number: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        perform(.connect, number) { machine.connect(number, address, length) }
    }

    func shutdownWriting(_ number: Int32) -> Int {
        perform(.shutdown, number) { machine.shutdownWriting(number) }
    }

    func close(_ number: Int32) -> Int {
        if openDescriptors.remove(number) == nil { return -Int(EBADF) }
        interests[number] = nil
        made.remove(number)
        return perform(.close, number) { ReleasedDescriptor.close(number) }
    }

    func localAddress(
        _ number: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        perform(.localAddress, number) { machine.localAddress(number, address, length) }
    }

    func setOption(_ number: Int32, level: Int32, name: Int32, value: Int32) -> Int {
        perform(.setOption, number) {
            machine.setOption(number, level: level, name: name, value: value)
        }
    }

    func setLingerZero(_ number: Int32) -> Int {
        perform(.linger, number) { machine.setLingerZero(number) }
    }

    func socketError(_ number: Int32, _ error: UnsafeMutablePointer<Int32>) -> Int {
        perform(.socketError, number) { machine.socketError(number, error) }
    }

    func receive(_ number: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        transfer(.receive, number, count) { machine.receive(number, bytes, $0) }
    }

    func send(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        if let sink, sink.takes(number, count) {
            let piece = UnsafeRawBufferPointer(start: bytes, count: count)
            sink.noteSend(number)
            return transfer(.send, number, count) { sink.take(number, [piece], $0) }
        }
        return transfer(.send, number, count) { machine.send(number, bytes, $0) }
    }

    func read(_ number: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        perform(.read, number) { machine.read(number, bytes, count) }
    }

    func epollCreate() -> Int { opening(.epollCreate, -1) { machine.epollCreate() } }

    func epollControl(
        _ epoll: Int32, operation: Int32, descriptor: Int32, events: UInt32, token: UInt64
    ) -> Int {
        let result = perform(.epollControl, descriptor) {
            machine.epollControl(
                epoll, operation: operation, descriptor: descriptor, events: events, token: token)
        }
        if result == 0 { interests[descriptor] = operation == 2 ? nil : events }
        return result
    }

    /// Loopback delivers within the sender's call, unless the machine is busy: before the clock is
    /// moved, half a real millisecond is left to it.
    func epollWait(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, nanoseconds: Int64
    ) -> Int {
        beforeWait(waits + 1)
        waited.append(nanoseconds)
        if nanoseconds == 0 { clock += lookTime }
        return perform(.epollWait, epoll) {
            waits += 1
            let found = look(epoll, list, count, nanoseconds)
            if found == 0 { emptyWaits += 1 }
            return found
        }
    }

    private func look(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, _ nanoseconds: Int64
    ) -> Int {
        looks += 1
        if let longestWait {
            let time = nanoseconds < 0 ? longestWait : min(nanoseconds, longestWait)
            return machine.epollWait(epoll, list, count, nanoseconds: time)
        }
        var found = machine.epollWait(epoll, list, count, nanoseconds: 0)
        if found == 0 && nanoseconds != 0 && patience > 0 {
            looks += 1
            found = machine.epollWait(epoll, list, count, nanoseconds: patience)
        }
        if found == 0 && nanoseconds > 0 && !isFrozen { clock += nanoseconds }
        return found
    }

    func eventDescriptor() -> Int {
        opening(.eventDescriptor, -1) { makeEvent?() ?? machine.eventDescriptor() }
    }

    func write(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        guard countsWrites else { return machine.write(number, bytes, count) }
        return perform(.write, number) { machine.write(number, bytes, count) }
    }

    func sendProgress(_ number: Int32, _ progress: inout SendProgress) -> Int {
        looksAtProgress += 1
        if let told = self.progress { progress = told }
        return self.progress == nil ? machine.sendProgress(number, &progress) : 0
    }

    func socketFile(_ path: String) -> SocketFile? { machine.socketFile(path) }

    func resolve(_ host: String) -> Result<[SocketAddress], ResolutionError> {
        machine.resolve(host)
    }

    func dropNewConnections(_ number: Int32) -> Int {
        perform(.filter, number) { machine.dropNewConnections(number) }
    }

    func startThread(_ body: @escaping @Sendable () -> Void) -> Int { machine.startThread(body) }

    func now() -> Int64 { longestWait == nil ? clock : machine.now() }
}
