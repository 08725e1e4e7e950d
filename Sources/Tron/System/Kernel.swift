// The seam: every system call of the library goes through an instance of this class.
internal import CEpollShim
import Synchronization

/// The kernel, one method a system call, each of which returns what the call returned, or `-errno`.
///
/// A test, or TronTestKit, gives it a backend, which then answers in the machine's place.
/// Production pays one predicted branch a call for that.
///
/// The backend is set once. It is a variable all the same: the optimiser keeps a constant in a
/// register across the call, and moves something else out of that, which costs more instructions
/// than the comparison in memory.
package final class Kernel: @unchecked Sendable {
    private var backend: (any KernelBackend)?
    private let calls = Atomic(0)

    /// The kernel of the machine.
    package init() { backend = nil }

    package init(_ backend: any KernelBackend) { self.backend = backend }

    /// Whether a loop is to be woken also where it is awake, so that the backend sees all of it.
    var seesEveryWakeup: Bool { backend?.seesEveryWakeup ?? false }

    /// System calls made so far, all but the wake-ups of other threads. Atomic because the last of
    /// them may be another thread's too, which closes what it was the last to hold; one thread
    /// writes at a time, so that no locked instruction is needed.
    var systemCalls: Int { calls.load(ordering: .relaxed) }

    private func counted(_ result: Int) -> Int {
        calls.store(calls.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        return result
    }

    /// What the backend answers. Out of line, so that the machine's way is short.
    @inline(never)
    private func ask<Value>(_ call: (any KernelBackend) -> Value) -> Value { call(backend!) }

    /// The same for what is counted.
    @inline(never)
    private func askCounted(_ call: (any KernelBackend) -> Int) -> Int { counted(ask(call)) }

    package func socket(family: Int32) -> Int {
        if backend != nil { return askCounted { $0.socket(family: family) } }
        return counted(tron_socket(family))
    }

    package func bind(_ descriptor: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        if backend != nil {
            return askCounted { unsafe $0.bind(descriptor, address, length) }
        }
        return unsafe counted(tron_bind(descriptor, address, length))
    }

    package func listen(_ descriptor: Int32, backlog: Int32) -> Int {
        if backend != nil { return askCounted { $0.listen(descriptor, backlog: backlog) } }
        return counted(tron_listen(descriptor, backlog))
    }

    package func accept(
        _ descriptor: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        if backend != nil {
            return askCounted { unsafe $0.accept(descriptor, address, length) }
        }
        return unsafe counted(tron_accept(descriptor, address, length))
    }

    package func connect(_ descriptor: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int
    {
        if backend != nil {
            return askCounted { unsafe $0.connect(descriptor, address, length) }
        }
        return unsafe counted(tron_connect(descriptor, address, length))
    }

    package func shutdownWriting(_ descriptor: Int32) -> Int {
        if backend != nil { return askCounted { $0.shutdownWriting(descriptor) } }
        return counted(tron_shutdown(descriptor, Int32(SHUT_WR)))
    }

    package func shutdownReading(_ descriptor: Int32) -> Int {
        if backend != nil { return askCounted { $0.shutdownReading(descriptor) } }
        return counted(tron_shutdown(descriptor, Int32(SHUT_RD)))
    }

    package func dropNewConnections(_ descriptor: Int32) -> Int {
        if backend != nil { return askCounted { $0.dropNewConnections(descriptor) } }
        return counted(tron_drop_new_connections(descriptor))
    }

    package func close(_ descriptor: Int32) -> Int {
        if backend != nil { return askCounted { $0.close(descriptor) } }
        return counted(tron_close(descriptor))
    }

    package func localAddress(
        _ descriptor: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        if backend != nil {
            return askCounted { unsafe $0.localAddress(descriptor, address, length) }
        }
        return unsafe counted(tron_local_address(descriptor, address, length))
    }

    package func setOption(_ descriptor: Int32, level: Int32, name: Int32, value: Int32) -> Int {
        if backend != nil {
            return askCounted { $0.setOption(descriptor, level: level, name: name, value: value) }
        }
        return counted(tron_set_option(descriptor, level, name, value))
    }

    package func setLingerZero(_ descriptor: Int32) -> Int {
        if backend != nil { return askCounted { $0.setLingerZero(descriptor) } }
        return counted(tron_set_linger_zero(descriptor))
    }

    package func socketError(_ descriptor: Int32, _ error: UnsafeMutablePointer<Int32>) -> Int {
        if backend != nil { return askCounted { unsafe $0.socketError(descriptor, error) } }
        return unsafe counted(tron_socket_error(descriptor, error))
    }

    /// TCP_INFO: what the kernel knows of what was sent.
    package func sendProgress(_ descriptor: Int32, _ progress: inout SendProgress) -> Int {
        if backend != nil { return askCounted { $0.sendProgress(descriptor, &progress) } }
        return unsafe counted(
            tron_send_progress(
                descriptor, &progress.acknowledged, &progress.segmentsInFlight,
                &progress.unsentBytes, &progress.unansweredProbes,
                &progress.millisecondsSinceAcknowledgement))
    }

    package func receive(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int
    {
        if backend != nil {
            return askCounted { unsafe $0.receive(descriptor, bytes, count) }
        }
        return unsafe counted(tron_receive(descriptor, bytes, count))
    }

    package func receive(
        _ descriptor: Int32, _ first: UnsafeMutableRawBufferPointer,
        _ second: UnsafeMutableRawBufferPointer
    ) -> Int {
        if backend != nil {
            return askCounted { unsafe $0.receive(descriptor, first, second) }
        }
        return unsafe counted(
            tron_receive_two(
                descriptor, first.baseAddress, first.count, second.baseAddress, second.count))
    }

    package func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        if backend != nil { return askCounted { unsafe $0.send(descriptor, bytes, count) } }
        return unsafe counted(tron_send(descriptor, bytes, count))
    }

    package func send(
        _ descriptor: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        _ third: UnsafeRawBufferPointer
    ) -> Int {
        if backend != nil {
            return askCounted { unsafe $0.send(descriptor, first, second, third) }
        }
        return unsafe counted(
            tron_send_three(
                descriptor, first.baseAddress, first.count, second.baseAddress, second.count,
                third.baseAddress, third.count))
    }

    /// Readies a listening stream socket that another process made; refuses everything else.
    package func adoptListener(_ descriptor: Int32) -> Int {
        if backend != nil { return askCounted { $0.adoptListener(descriptor) } }
        return counted(tron_adopt_listener(descriptor))
    }

    /// One datagram to a Unix socket, by a socket of its own: socket(2), sendto(2), close(2).
    package func sendDatagram(
        _ address: UnsafeRawPointer, _ length: UInt32, _ bytes: UnsafeRawPointer, _ count: Int
    ) -> Int {
        if backend != nil {
            return askCounted { unsafe $0.sendDatagram(address, length, bytes, count) }
        }
        return unsafe counted(tron_send_datagram(address, length, bytes, count))
    }

    /// read(2) on an eventfd.
    package func read(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        if backend != nil { return askCounted { unsafe $0.read(descriptor, bytes, count) } }
        return unsafe counted(tron_read(descriptor, bytes, count))
    }

    /// write(2) on an eventfd. The one method that other threads call.
    package func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        if backend != nil { return ask { unsafe $0.write(descriptor, bytes, count) } }
        return unsafe tron_write(descriptor, bytes, count)
    }

    package func epollCreate() -> Int {
        if backend != nil { return askCounted { $0.epollCreate() } }
        return counted(tron_epoll_create())
    }

    package func epollControl(
        _ epoll: Int32, operation: Int32, descriptor: Int32, events: UInt32, token: UInt64
    ) -> Int {
        if backend != nil {
            return askCounted {
                $0.epollControl(
                    epoll, operation: operation, descriptor: descriptor, events: events,
                    token: token)
            }
        }
        return counted(tron_epoll_control(epoll, operation, descriptor, events, token))
    }

    /// Waits at most `nanoseconds`; for ever when that is negative.
    package func epollWait(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, nanoseconds: Int64
    ) -> Int {
        if backend != nil {
            return askCounted {
                unsafe $0.epollWait(epoll, list, count, nanoseconds: nanoseconds)
            }
        }
        return unsafe counted(tron_epoll_wait(epoll, list, count, nanoseconds))
    }

    package func eventDescriptor() -> Int {
        if backend != nil { return askCounted { $0.eventDescriptor() } }
        return counted(tron_eventfd())
    }

    /// Takes a place in the process's table of those who watch signals: the signal handler writes
    /// the eventfd `descriptor`. `-EUSERS` when no place is free.
    package func openSignals(_ descriptor: Int32) -> Int {
        if backend != nil { return askCounted { $0.openSignals(descriptor) } }
        return counted(tron_signal_open(descriptor))
    }

    /// Has a signal told to this place. sigaction(2), where its handler is not installed yet.
    package func watchSignal(_ place: Int32, _ number: Int32) -> Int {
        if backend != nil { return askCounted { $0.watchSignal(place, number) } }
        return counted(tron_signal_watch(place, number))
    }

    /// The signals that have arrived since the last call: bit n - 1 stands for signal n.
    package func takeSignals(_ place: Int32) -> UInt64 {
        if backend != nil { return ask { $0.takeSignals(place) } }
        return tron_signal_take(place)
    }

    /// Stops watching. The signals that no other place watches do again what they did before, and
    /// the signal handler does not use the eventfd any more.
    package func stopSignals(_ place: Int32) {
        if backend != nil { return ask { $0.stopSignals(place) } }
        tron_signal_stop(place)
    }

    /// Stops watching, raises again what was not taken, and gives the place back.
    package func closeSignals(_ place: Int32) {
        if backend != nil { return ask { $0.closeSignals(place) } }
        tron_signal_close(place)
    }

    package func unlink(_ path: String) -> Int {
        if backend != nil { return askCounted { $0.unlink(path) } }
        return unsafe counted(tron_unlink(path))
    }

    /// The socket that lies at this path, if one does.
    package func socketFile(_ path: String) -> SocketFile? {
        if backend != nil { return ask { $0.socketFile(path) } }
        var file = SocketFile(device: 0, inode: 0)
        return unsafe tron_socket_file(path, &file.device, &file.inode) != 0 ? file : nil
    }

    /// The addresses of a host by getaddrinfo(3). Blocks: only for helper threads.
    package func resolve(_ host: String) -> Result<[SocketAddress], ResolutionError> {
        if backend != nil { return ask { $0.resolve(host) } }
        return ResolutionError.addresses(of: host)
    }

    /// CLOCK_MONOTONIC, in nanoseconds.
    package func now() -> Int64 {
        if backend != nil { return ask { $0.now() } }
        return tron_monotonic_nanoseconds()
    }

    /// A number that nobody can guess, for who wants to be unlike all others.
    package func randomSeed() -> UInt64 {
        if backend != nil { return ask { $0.randomSeed() } }
        return .random(in: 0 ... .max)
    }

    /// Runs `body` on a thread of its own, with the signal mask of the caller's; it ends with it.
    package func startThread(_ body: @escaping @Sendable () -> Void) -> Int {
        if backend != nil { return ask { $0.startThread(body) } }
        return startDetachedThread(body)
    }

    /// The processors that the calling thread may run on (sched_getaffinity(2)); none where the
    /// kernel does not say.
    package func processors() -> [Int] {
        if backend != nil { return ask { $0.processors() } }
        return Processors.ofCallingThread()
    }

    /// Has the calling thread run on this one alone (sched_setaffinity(2)).
    package func pinThread(to processor: Int) -> Int {
        if backend != nil { return ask { $0.pinThread(to: processor) } }
        return tron_pin_thread(Int32(clamping: processor))
    }
}
