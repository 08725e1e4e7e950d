// Kernels of the tests: real sockets under a clock of the test's own, and faults on order.
import Glibc

@testable import Tron

/// The machine's kernel, but time only passes when nothing else happens: a wait that finds nothing
/// ready advances the clock by what it was to wait, and returns.
class FakeClockKernel: Kernel, @unchecked Sendable {
    /// The clock, in nanoseconds. A test may advance it itself.
    var clock: Int64 = 1_000_000_000
    /// While true, waits leave the clock alone.
    var isFrozen = false
    /// How long, in real nanoseconds, a wait that finds nothing looks again before time passes.
    var patience: Int64 = 500_000
    /// Calls of epoll_wait, and those of them that found nothing.
    private(set) var waits = 0
    /// How often the machine's kernel was asked for them: twice when it had nothing at first.
    private(set) var looks = 0
    private(set) var emptyWaits = 0

    override func now() -> Int64 { clock }

    func advance(_ duration: Duration) { clock += duration.clampedNanoseconds }

    /// Loopback delivers within the sender's call, unless the machine is busy: before the clock is
    /// moved, half a real millisecond is left to it.
    override func epollWait(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, nanoseconds: Int64
    ) -> Int {
        waits += 1
        looks += 1
        var found = super.epollWait(epoll, list, count, nanoseconds: 0)
        if found == 0 && nanoseconds != 0 && patience > 0 {
            looks += 1
            found = super.epollWait(epoll, list, count, nanoseconds: patience)
        }
        if found == 0 {
            emptyWaits += 1
            if nanoseconds > 0 && !isFrozen { clock += nanoseconds }
        }
        return found
    }
}

/// The system calls that a fault can befall.
enum KernelCall: String, CaseIterable {
    case socket, bind, listen, accept, connect, shutdown, close, localAddress, setOption
    case linger, socketError, receive, send, read, write, epollCreate, epollControl, epollWait
    case eventDescriptor, signalPlace, signalAction, unlink, socketFile, sendProgress
}

/// What a call does in place of what it would do.
enum KernelFault {
    /// Nothing but to return `-errno`.
    case error(Int32)
    /// As usual, but the caller is told `-errno`.
    case errorAfterwards(Int32)
    /// At most so many bytes move.
    case atMost(Int)
}

/// Counts calls and open descriptors, and does what `fault` says. For one thread: what others may
/// call, `write`, is left out.
class FaultyKernel: FakeClockKernel, @unchecked Sendable {
    private(set) var calls: [KernelCall: Int] = [:]
    private(set) var openDescriptors: Set<Int32> = []
    /// The flags that epoll was last given for each descriptor (operation 2 is EPOLL_CTL_DEL).
    private(set) var interests: [Int32: UInt32] = [:]
    /// Asked with the call, its number from 1, and the descriptor, if it has one.
    var fault: (KernelCall, Int, Int32) -> KernelFault? = { _, _, _ in nil }
    /// Called before the n-th wait, on the loop's thread.
    var beforeWait: (Int) -> Void = { _ in }

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

    override func socket(family: Int32) -> Int {
        opening(.socket, -1) { super.socket(family: family) }
    }

    override func bind(_ number: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        perform(.bind, number) { super.bind(number, address, length) }
    }

    override func listen(_ number: Int32, backlog: Int32) -> Int {
        perform(.listen, number) { super.listen(number, backlog: backlog) }
    }

    override func accept(
        _ number: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        opening(.accept, number) { super.accept(number, address, length) }
    }

    override func connect(_ number: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        perform(.connect, number) { super.connect(number, address, length) }
    }

    override func shutdownWriting(_ number: Int32) -> Int {
        perform(.shutdown, number) { super.shutdownWriting(number) }
    }

    override func close(_ number: Int32) -> Int {
        if openDescriptors.remove(number) == nil { return -Int(EBADF) }
        interests[number] = nil
        return perform(.close, number) { super.close(number) }
    }

    override func localAddress(
        _ number: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        perform(.localAddress, number) { super.localAddress(number, address, length) }
    }

    override func setOption(_ number: Int32, level: Int32, name: Int32, value: Int32) -> Int {
        perform(.setOption, number) {
            super.setOption(number, level: level, name: name, value: value)
        }
    }

    override func setLingerZero(_ number: Int32) -> Int {
        perform(.linger, number) { super.setLingerZero(number) }
    }

    override func socketError(_ number: Int32, _ error: UnsafeMutablePointer<Int32>) -> Int {
        perform(.socketError, number) { super.socketError(number, error) }
    }

    override func receive(
        _ number: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int
    ) -> Int {
        transfer(.receive, number, count) { super.receive(number, bytes, $0) }
    }

    override func receive(
        _ number: Int32, _ first: UnsafeMutableRawBufferPointer,
        _ second: UnsafeMutableRawBufferPointer
    ) -> Int {
        transfer(.receive, number, first.count + second.count) { count in
            let head = UnsafeMutableRawBufferPointer(rebasing: first[..<min(count, first.count)])
            let tail = UnsafeMutableRawBufferPointer(rebasing: second[..<(count - head.count)])
            return super.receive(number, head, tail)
        }
    }

    override func send(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        transfer(.send, number, count) { super.send(number, bytes, $0) }
    }

    override func send(
        _ number: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        _ third: UnsafeRawBufferPointer
    ) -> Int {
        transfer(.send, number, first.count + second.count + third.count) { count in
            var left = count
            let pieces = [first, second, third].map { piece in
                defer { left -= min(left, piece.count) }
                return UnsafeRawBufferPointer(rebasing: piece.prefix(left))
            }
            return super.send(number, pieces[0], pieces[1], pieces[2])
        }
    }

    override func read(_ number: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        perform(.read, number) { super.read(number, bytes, count) }
    }

    override func epollCreate() -> Int { opening(.epollCreate, -1) { super.epollCreate() } }

    override func epollControl(
        _ epoll: Int32, operation: Int32, descriptor: Int32, events: UInt32, token: UInt64
    ) -> Int {
        let result = perform(.epollControl, descriptor) {
            super.epollControl(
                epoll, operation: operation, descriptor: descriptor, events: events, token: token)
        }
        if result == 0 { interests[descriptor] = operation == 2 ? nil : events }
        return result
    }

    override func epollWait(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, nanoseconds: Int64
    ) -> Int {
        beforeWait(waits + 1)
        return perform(.epollWait, epoll) {
            super.epollWait(epoll, list, count, nanoseconds: nanoseconds)
        }
    }

    override func eventDescriptor() -> Int {
        opening(.eventDescriptor, -1) { super.eventDescriptor() }
    }

    override func openSignals(_ number: Int32) -> Int {
        perform(.signalPlace, number) { super.openSignals(number) }
    }

    override func watchSignal(_ place: Int32, _ number: Int32) -> Int {
        perform(.signalAction, -1) { super.watchSignal(place, number) }
    }

    override func unlink(_ path: String) -> Int { perform(.unlink, -1) { super.unlink(path) } }
}
