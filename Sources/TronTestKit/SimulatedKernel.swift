// The kernel of a run: every system call of the library, answered in memory.
import Glibc
import Tron

/// Sockets, epoll, eventfd, signals and the clock of one run, on one thread.
package final class SimulatedKernel: KernelBackend, @unchecked Sendable {
    package let run: Run
    package let network: Network
    package var table = DescriptorTable()
    package var retiredTokens: [UInt64] = []
    /// How often a descriptor may be told ready before something is done about it: the last phases
    /// of a turn may have much to do, and a small limit.
    package var fruitlessLimit = 3
    package var turns = 0
    package private(set) var calls = 0
    /// Signals that the library has taken.
    package var signalsTaken = 0
    private var nextPort: UInt16 = 40_000
    /// Descriptors of sessions that were closed.
    package private(set) var closedSessions = 0
    /// Called as a wait begins, with its time limit.
    package var beforeWait: (Int64) -> Void = { _ in }
    /// Waits do not wait any more: the run is to end.
    package var hurries = false

    package init(_ run: Run) {
        self.run = run
        network = Network(run: run)
    }

    package var openCount: Int { table.openCount }

    // MARK: Any descriptor

    /// The file behind a number. That it is open is the library's business: to use a number after
    /// its close is to use somebody else's.
    package func file(_ number: Int32, _ call: SystemError.Call) -> OpenFile? {
        pass()
        guard let file = table[number] else {
            run.fail("\(call.rawValue) on descriptor \(number), which is not open")
            return nil
        }
        return file
    }

    /// Every call takes a moment. So many calls mean that the library never comes to a wait.
    package func pass() {
        calls += 1
        run.clock += 137
        if calls == 500_000 {
            run.fail("500,000 system calls")
            abort()
        }
    }

    package func close(_ number: Int32) -> Int {
        guard let file = file(number, .close) else { return -Int(EBADF) }
        run.note(.close, Int(number))
        run.expect(
            file.watchedSignals == 0,
            "descriptor \(number) was closed while signals are written to it")
        let isSocket = file.listener != nil || file.end != nil
        run.expect(
            !file.isWatched || !isSocket,
            "descriptor \(number) was closed in epoll, which a child process could keep it in")
        table.close(file)
        if file.end?.observer != nil { closedSessions += 1 }
        if let listener = file.listener { network.stop(listener) }
        if let end = file.end { network.close(end, resets: file.lingersZero) }
        if run.strikes(.interruption) {
            run.met(.interruption)
            return -Int(EINTR)
        }
        return 0
    }

    package func read(_ number: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        guard let file = file(number, .read) else { return -Int(EBADF) }
        return unsafe readCounter(file, bytes)
    }

    package func write(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        guard let file = file(number, .write) else { return -Int(EBADF) }
        if run.strikes(.noBuffers) { return -Int(ENOMEM) }
        unsafe file.pending += bytes.loadUnaligned(as: UInt64.self)
        return 8
    }

    package func eventDescriptor() -> Int { open(.event) }

    package func epollCreate() -> Int { open(.epoll) }

    package func epollControl(
        _ epoll: Int32, operation: Int32, descriptor: Int32, events: UInt32, token: UInt64
    ) -> Int {
        guard file(epoll, .epoll_ctl) != nil, let file = file(descriptor, .epoll_ctl) else {
            return -Int(EBADF)
        }
        return control(operation, file, events, token)
    }

    package func epollWait(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, nanoseconds: Int64
    ) -> Int {
        guard file(epoll, .epoll_wait) != nil else { return -Int(EBADF) }
        return unsafe wait(list, Int(count), nanoseconds)
    }

    package func now() -> Int64 {
        pass()
        if !run.isTurnTimed {
            run.isTurnTimed = true
            run.turnStart = run.clock
        }
        return run.clock
    }

    // MARK: Signals

    package func openSignals(_ number: Int32) -> Int { takePlace(number) }

    package func watchSignal(_ place: Int32, _ number: Int32) -> Int { watch(place, number) }

    package func takeSignals(_ place: Int32) -> UInt64 { takeArrived(place) }

    package func stopSignals(_ place: Int32) { stopWatching(place) }

    package func closeSignals(_ place: Int32) { givePlaceBack(place) }

    // MARK: Sockets

    package func socket(family: Int32) -> Int {
        pass()
        nextPort &+= 1
        let local = SocketAddress.ipv4(host: 0x0a00_0001, port: nextPort)
        return open(.socket(network.makeEnd(isLibrary: true, local: local)))
    }

    package func bind(_ number: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        guard let file = file(number, .bind), let end = file.end,
            let address = unsafe SocketAddress(raw: address, length: length)
        else { return -Int(EINVAL) }
        return bind(end, to: address)
    }

    package func listen(_ number: Int32, backlog: Int32) -> Int {
        guard let file = file(number, .listen), let end = file.end else { return -Int(EINVAL) }
        let listener = Listener(end.local, backlog: Int(backlog))
        file.listener = listener
        network.listen(listener)
        return 0
    }

    package func accept(
        _ number: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let file = file(number, .accept4) else { return -Int(EBADF) }
        return unsafe accept(file, address, length)
    }

    package func connect(_ number: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        guard let file = file(number, .connect), let end = file.end,
            let address = unsafe SocketAddress(raw: address, length: length)
        else { return -Int(EINVAL) }
        return connect(file, end, to: address)
    }

    package func shutdownWriting(_ number: Int32) -> Int {
        guard let file = file(number, .shutdown), let end = file.end else { return -Int(EBADF) }
        run.note(.shutdown, Int(number))
        guard end.phase == .connected else { return refused(file, .shutdown, ENOTCONN) }
        network.endWriting(end)
        return 0
    }

    package func localAddress(
        _ number: Int32, _ address: UnsafeMutableRawPointer, _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let file = file(number, .getsockname), let end = file.end else { return -Int(EBADF) }
        return unsafe put(end.local, address, length)
    }

    package func setOption(_ number: Int32, level: Int32, name: Int32, value: Int32) -> Int {
        guard let file = file(number, .setsockopt) else { return -Int(EBADF) }
        if run.strikes(.noBuffers) { return refused(file, .setsockopt, ENOBUFS) }
        return 0
    }

    package func sendProgress(_ number: Int32, _ progress: inout SendProgress) -> Int {
        guard let file = file(number, .getsockopt), let end = file.end else { return -Int(EBADF) }
        progress = network.progress(of: end)
        return 0
    }

    package func setLingerZero(_ number: Int32) -> Int {
        guard let file = file(number, .setsockopt) else { return -Int(EBADF) }
        file.lingersZero = true
        return 0
    }

    package func socketError(_ number: Int32, _ error: UnsafeMutablePointer<Int32>) -> Int {
        guard let file = file(number, .getsockopt), let end = file.end else { return -Int(EBADF) }
        file.isUsed()
        unsafe error.pointee = end.takeError()
        // The library reports it as the refusal of what it was about to do.
        if unsafe error.pointee != 0 {
            for call in [SystemError.Call.recv, .connect] {
                unsafe end.refusals.append(SystemError(call, code: error.pointee))
            }
            end.observer?.wasRefused()
        }
        return 0
    }

    // MARK: Bytes

    package func receive(_ number: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        guard let file = file(number, .recv) else { return -Int(EBADF) }
        return unsafe receive(file, UnsafeMutableRawBufferPointer(start: bytes, count: count), nil)
    }

    package func receive(
        _ number: Int32, _ first: UnsafeMutableRawBufferPointer,
        _ second: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard let file = file(number, .recv) else { return -Int(EBADF) }
        return unsafe receive(file, first, second)
    }

    package func send(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        guard let file = file(number, .send) else { return -Int(EBADF) }
        return unsafe send(file, [UnsafeRawBufferPointer(start: bytes, count: count)])
    }

    package func send(
        _ number: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        _ third: UnsafeRawBufferPointer
    ) -> Int {
        guard let file = file(number, .send) else { return -Int(EBADF) }
        return unsafe send(file, [first, second, third])
    }

    package func unlink(_ path: String) -> Int { 0 }

    package func socketFile(_ path: String) -> SocketFile? { nil }

    package func resolve(_ host: String) -> Result<[SocketAddress], ResolutionError> {
        .failure(ResolutionError(host: host, message: "there are no names here"))
    }

    package func randomSeed() -> UInt64 { run.chance.next() }

    /// There is one thread: what another would do happens between the loop's turns.
    package func startThread(_ body: @escaping @Sendable () -> Void) -> Int {
        network.after(run.chance.time(upToMilliseconds: 20)) { body() }
        return 0
    }
}
