// The seam: every system call of the library goes through an instance of this class.
internal import CEpollShim
import Synchronization

/// The kernel, one method a system call, each of which returns what the call returned, or `-errno`.
///
/// A test subclasses it to inject a fault or to simulate a kernel and its clock. Production pays
/// nothing for that: the class is internal and has no subclass in the module, so whole-module
/// optimisation makes every call direct and inlines it. (`-enable-testing` keeps it open.)
class Kernel: @unchecked Sendable {
    /// System calls made so far, all but the wake-ups of other threads. Atomic because the last of
    /// them may be another thread's too, which closes what it was the last to hold; one thread
    /// writes at a time, so that no locked instruction is needed.
    final var systemCalls: Int { calls.load(ordering: .relaxed) }
    private let calls = Atomic(0)

    /// The kernel of the machine.
    init() {}

    private final func counted(_ result: Int) -> Int {
        calls.store(calls.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        return result
    }

    func socket(family: Int32) -> Int { counted(tron_socket(family)) }

    func bind(_ descriptor: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        unsafe counted(tron_bind(descriptor, address, length))
    }

    func listen(_ descriptor: Int32, backlog: Int32) -> Int {
        counted(tron_listen(descriptor, backlog))
    }

    func accept(
        _ descriptor: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        unsafe counted(tron_accept(descriptor, address, length))
    }

    func connect(_ descriptor: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        unsafe counted(tron_connect(descriptor, address, length))
    }

    func shutdownWriting(_ descriptor: Int32) -> Int {
        counted(tron_shutdown(descriptor, Int32(SHUT_WR)))
    }

    func close(_ descriptor: Int32) -> Int { counted(tron_close(descriptor)) }

    func localAddress(
        _ descriptor: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        unsafe counted(tron_local_address(descriptor, address, length))
    }

    func setOption(_ descriptor: Int32, level: Int32, name: Int32, value: Int32) -> Int {
        counted(tron_set_option(descriptor, level, name, value))
    }

    func setLingerZero(_ descriptor: Int32) -> Int { counted(tron_set_linger_zero(descriptor)) }

    func socketError(_ descriptor: Int32, _ error: UnsafeMutablePointer<Int32>) -> Int {
        unsafe counted(tron_socket_error(descriptor, error))
    }

    /// TCP_INFO: what the kernel knows of what was sent.
    func sendProgress(_ descriptor: Int32, _ progress: inout SendProgress) -> Int {
        unsafe counted(
            tron_send_progress(
                descriptor, &progress.acknowledged, &progress.segmentsInFlight,
                &progress.unsentBytes, &progress.unansweredProbes,
                &progress.millisecondsSinceAcknowledgement))
    }

    func receive(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        unsafe counted(tron_receive(descriptor, bytes, count))
    }

    func receive(
        _ descriptor: Int32, _ first: UnsafeMutableRawBufferPointer,
        _ second: UnsafeMutableRawBufferPointer
    ) -> Int {
        unsafe counted(
            tron_receive_two(
                descriptor, first.baseAddress, first.count, second.baseAddress, second.count))
    }

    func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        unsafe counted(tron_send(descriptor, bytes, count))
    }

    func send(
        _ descriptor: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        _ third: UnsafeRawBufferPointer
    ) -> Int {
        unsafe counted(
            tron_send_three(
                descriptor, first.baseAddress, first.count, second.baseAddress, second.count,
                third.baseAddress, third.count))
    }

    /// Readies a listening stream socket that another process made; refuses everything else.
    func adoptListener(_ descriptor: Int32) -> Int { counted(tron_adopt_listener(descriptor)) }

    /// One datagram to a Unix socket, by a socket of its own: socket(2), sendto(2), close(2).
    func sendDatagram(
        _ address: UnsafeRawPointer, _ length: UInt32, _ bytes: UnsafeRawPointer, _ count: Int
    ) -> Int {
        unsafe counted(tron_send_datagram(address, length, bytes, count))
    }

    /// read(2) on an eventfd.
    func read(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        unsafe counted(tron_read(descriptor, bytes, count))
    }

    /// write(2) on an eventfd. The one method that other threads call.
    func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        unsafe tron_write(descriptor, bytes, count)
    }

    func epollCreate() -> Int { counted(tron_epoll_create()) }

    func epollControl(
        _ epoll: Int32, operation: Int32, descriptor: Int32, events: UInt32, token: UInt64
    ) -> Int {
        counted(tron_epoll_control(epoll, operation, descriptor, events, token))
    }

    /// Waits at most `nanoseconds`; for ever when that is negative.
    func epollWait(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, nanoseconds: Int64
    ) -> Int {
        unsafe counted(tron_epoll_wait(epoll, list, count, nanoseconds))
    }

    func eventDescriptor() -> Int { counted(tron_eventfd()) }

    /// Takes a place in the process's table of those who watch signals: the signal handler writes
    /// the eventfd `descriptor`. `-EUSERS` when no place is free.
    func openSignals(_ descriptor: Int32) -> Int { counted(tron_signal_open(descriptor)) }

    /// Has a signal told to this place. sigaction(2), where its handler is not installed yet.
    func watchSignal(_ place: Int32, _ number: Int32) -> Int {
        counted(tron_signal_watch(place, number))
    }

    /// The signals that have arrived since the last call: bit n - 1 stands for signal n.
    func takeSignals(_ place: Int32) -> UInt64 { tron_signal_take(place) }

    /// Stops watching. The signals that no other place watches do again what they did before, and
    /// the signal handler does not use the eventfd any more.
    func stopSignals(_ place: Int32) { tron_signal_stop(place) }

    /// Stops watching, raises again what was not taken, and gives the place back.
    func closeSignals(_ place: Int32) { tron_signal_close(place) }

    func unlink(_ path: String) -> Int { unsafe counted(tron_unlink(path)) }

    /// The socket that lies at this path, if one does.
    func socketFile(_ path: String) -> SocketFile? {
        var file = SocketFile(device: 0, inode: 0)
        return unsafe tron_socket_file(path, &file.device, &file.inode) != 0 ? file : nil
    }

    /// The addresses of a host by getaddrinfo(3). Blocks: only for helper threads.
    func resolve(_ host: String) -> Result<[SocketAddress], ResolutionError> {
        ResolutionError.addresses(of: host)
    }

    /// CLOCK_MONOTONIC, in nanoseconds.
    func now() -> Int64 { tron_monotonic_nanoseconds() }
}
