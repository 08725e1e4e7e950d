// What may take the machine's place behind the seam: a simulated kernel, or one with faults.

/// One method a system call, each of which returns what the call would return, or `-errno`; and
/// what else the library has from the machine: time, randomness, threads and names.
///
/// All but `write` and `resolve` are called on the loop's thread, and `close` on that of whoever
/// was the last to hold something.
package protocol KernelBackend: AnyObject, Sendable {
    // Sockets.
    func socket(family: Int32) -> Int
    func bind(_ descriptor: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int
    func listen(_ descriptor: Int32, backlog: Int32) -> Int
    func accept(
        _ descriptor: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int
    func connect(_ descriptor: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int
    func shutdownWriting(_ descriptor: Int32) -> Int
    func close(_ descriptor: Int32) -> Int
    func localAddress(
        _ descriptor: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int
    func setOption(_ descriptor: Int32, level: Int32, name: Int32, value: Int32) -> Int
    /// Makes the next close send RST.
    func setLingerZero(_ descriptor: Int32) -> Int
    /// shutdown(2) of a Unix listener's reading: connect(2) is refused from then on, and what waits
    /// can still be accepted.
    func shutdownReading(_ descriptor: Int32) -> Int
    /// SO_ATTACH_FILTER: what asks a TCP listener for a new connection is dropped.
    func dropNewConnections(_ descriptor: Int32) -> Int
    /// SO_ERROR.
    func socketError(_ descriptor: Int32, _ error: UnsafeMutablePointer<Int32>) -> Int
    /// TCP_INFO.
    func sendProgress(_ descriptor: Int32, _ progress: inout SendProgress) -> Int

    // Bytes. What is received into two pieces fills the first one first.
    func receive(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int
    func receive(
        _ descriptor: Int32, _ first: UnsafeMutableRawBufferPointer,
        _ second: UnsafeMutableRawBufferPointer
    ) -> Int
    func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int
    func send(
        _ descriptor: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        _ third: UnsafeRawBufferPointer
    ) -> Int

    // Of other processes: a listener that one made, and a datagram for one.
    func adoptListener(_ descriptor: Int32) -> Int
    func sendDatagram(
        _ address: UnsafeRawPointer, _ length: UInt32, _ bytes: UnsafeRawPointer, _ count: Int
    ) -> Int

    // The loop. An eventfd is read on the loop, and written on any thread.
    func epollCreate() -> Int
    func epollControl(
        _ epoll: Int32, operation: Int32, descriptor: Int32, events: UInt32, token: UInt64
    ) -> Int
    func epollWait(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, nanoseconds: Int64
    ) -> Int
    func eventDescriptor() -> Int
    func read(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int
    func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int

    // Signals: see the methods of `Kernel`.
    func openSignals(_ descriptor: Int32) -> Int
    func watchSignal(_ place: Int32, _ number: Int32) -> Int
    func takeSignals(_ place: Int32) -> UInt64
    func stopSignals(_ place: Int32)
    func closeSignals(_ place: Int32)

    // Files and names.
    func unlink(_ path: String) -> Int
    func socketFile(_ path: String) -> SocketFile?
    func resolve(_ host: String) -> Result<[SocketAddress], ResolutionError>

    // The rest of the machine.
    func now() -> Int64
    func randomSeed() -> UInt64
    func startThread(_ body: @escaping @Sendable () -> Void) -> Int
    /// The processors that the calling thread may run on.
    func processors() -> [Int]
    /// Has the calling thread run on this one alone.
    func pinThread(to processor: Int) -> Int

    /// Whether a loop is woken for each piece of work from another thread, also while it is awake.
    var seesEveryWakeup: Bool { get }
}

extension KernelBackend {
    package var seesEveryWakeup: Bool { false }

    /// One, on which all threads run: time in a simulation does not depend on them.
    package func processors() -> [Int] { [0] }

    package func pinThread(to processor: Int) -> Int { 0 }
}
