// The kernel of a run: every system call of the library, answered in memory.
import Glibc

@testable import Tron

/// Sockets, epoll, eventfd, signals and the clock of one run, on one thread.
final class SimulatedKernel: KernelBackend, @unchecked Sendable {
    let run: Run
    let network: Network
    var table = DescriptorTable()
    var retiredTokens: [UInt64] = []
    /// How often a descriptor may be told ready before something is done about it: the last phases
    /// of a turn may have much to do, and a small limit.
    var fruitlessLimit = 3
    var turns = 0
    private(set) var calls = 0
    /// Signals that the library has taken.
    var signalsTaken = 0
    private var nextPort: UInt16 = 40_000
    /// Descriptors of sessions that were closed.
    private(set) var closedSessions = 0
    /// Called as a wait begins, with its time limit.
    var beforeWait: (Int64) -> Void = { _ in }
    /// Waits do not wait any more: the run is to end.
    var hurries = false

    init(_ run: Run) {
        self.run = run
        network = Network(run: run)
    }

    var openCount: Int { table.openCount }

    // MARK: Any descriptor

    /// The file behind a number. That it is open is the library's business: to use a number after
    /// its close is to use somebody else's.
    func file(_ number: Int32, _ call: SystemError.Call) -> OpenFile? {
        pass()
        guard let file = table[number] else {
            run.fail("\(call.rawValue) on descriptor \(number), which is not open")
            return nil
        }
        return file
    }

    /// Every call takes a moment. So many calls mean that the library never comes to a wait.
    func pass() {
        calls += 1
        run.clock += 137
        if calls == 500_000 {
            run.fail("500,000 system calls")
            abort()
        }
    }

    func close(_ number: Int32) -> Int {
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
        if file.end?.record != nil { closedSessions += 1 }
        if let listener = file.listener { network.stop(listener) }
        if let end = file.end { network.close(end, resets: file.lingersZero) }
        if run.strikes(.interruption) {
            run.met(.interruption)
            return -Int(EINTR)
        }
        return 0
    }

    func read(_ number: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        guard let file = file(number, .read) else { return -Int(EBADF) }
        return readCounter(file, bytes)
    }

    func write(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        guard let file = file(number, .write) else { return -Int(EBADF) }
        if run.strikes(.noBuffers) { return -Int(ENOMEM) }
        file.pending += bytes.loadUnaligned(as: UInt64.self)
        return 8
    }

    func eventDescriptor() -> Int { open(.event) }

    func epollCreate() -> Int { open(.epoll) }

    func epollControl(
        _ epoll: Int32, operation: Int32, descriptor: Int32, events: UInt32, token: UInt64
    ) -> Int {
        guard file(epoll, .epoll_ctl) != nil, let file = file(descriptor, .epoll_ctl) else {
            return -Int(EBADF)
        }
        return control(operation, file, events, token)
    }

    func epollWait(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, nanoseconds: Int64
    ) -> Int {
        guard file(epoll, .epoll_wait) != nil else { return -Int(EBADF) }
        return wait(list, Int(count), nanoseconds)
    }

    func now() -> Int64 {
        pass()
        if !run.isTurnTimed {
            run.isTurnTimed = true
            run.turnStart = run.clock
        }
        return run.clock
    }

    // MARK: Signals

    func openSignals(_ number: Int32) -> Int { takePlace(number) }

    func watchSignal(_ place: Int32, _ number: Int32) -> Int { watch(place, number) }

    func takeSignals(_ place: Int32) -> UInt64 { takeArrived(place) }

    func stopSignals(_ place: Int32) { stopWatching(place) }

    func closeSignals(_ place: Int32) { givePlaceBack(place) }

    // MARK: Sockets

    func socket(family: Int32) -> Int {
        pass()
        nextPort &+= 1
        let local = SocketAddress.ipv4(host: 0x0a00_0001, port: nextPort)
        return open(.socket(network.makeEnd(isLibrary: true, local: local)))
    }

    func bind(_ number: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        guard let file = file(number, .bind), let end = file.end,
            let address = SocketAddress(raw: address, length: length)
        else { return -Int(EINVAL) }
        return bind(end, to: address)
    }

    func listen(_ number: Int32, backlog: Int32) -> Int {
        guard let file = file(number, .listen), let end = file.end else { return -Int(EINVAL) }
        let listener = Listener(end.local, backlog: Int(backlog))
        file.listener = listener
        network.listen(listener)
        return 0
    }

    func accept(
        _ number: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let file = file(number, .accept4) else { return -Int(EBADF) }
        return accept(file, address, length)
    }

    func connect(_ number: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        guard let file = file(number, .connect), let end = file.end,
            let address = SocketAddress(raw: address, length: length)
        else { return -Int(EINVAL) }
        return connect(file, end, to: address)
    }

    func shutdownWriting(_ number: Int32) -> Int {
        guard let file = file(number, .shutdown), let end = file.end else { return -Int(EBADF) }
        run.note(.shutdown, Int(number))
        guard end.phase == .connected else { return refused(file, .shutdown, ENOTCONN) }
        network.endWriting(end)
        return 0
    }

    func localAddress(
        _ number: Int32, _ address: UnsafeMutableRawPointer, _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let file = file(number, .getsockname), let end = file.end else { return -Int(EBADF) }
        return put(end.local, address, length)
    }

    func setOption(_ number: Int32, level: Int32, name: Int32, value: Int32) -> Int {
        guard let file = file(number, .setsockopt) else { return -Int(EBADF) }
        if run.strikes(.noBuffers) { return refused(file, .setsockopt, ENOBUFS) }
        return 0
    }

    func sendProgress(_ number: Int32, _ progress: inout SendProgress) -> Int {
        guard let file = file(number, .getsockopt), let end = file.end else { return -Int(EBADF) }
        progress = network.progress(of: end)
        return 0
    }

    func setLingerZero(_ number: Int32) -> Int {
        guard let file = file(number, .setsockopt) else { return -Int(EBADF) }
        file.lingersZero = true
        return 0
    }

    func socketError(_ number: Int32, _ error: UnsafeMutablePointer<Int32>) -> Int {
        guard let file = file(number, .getsockopt), let end = file.end else { return -Int(EBADF) }
        file.isUsed()
        error.pointee = end.takeError()
        // The library reports it as the refusal of what it was about to do.
        if error.pointee != 0 {
            for call in [SystemError.Call.recv, .connect] {
                end.refusals.append(SystemError(call, code: error.pointee))
            }
            end.record?.mustEnd = true
        }
        return 0
    }

    // MARK: Bytes

    func receive(_ number: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        guard let file = file(number, .recv) else { return -Int(EBADF) }
        return receive(file, UnsafeMutableRawBufferPointer(start: bytes, count: count), nil)
    }

    func receive(
        _ number: Int32, _ first: UnsafeMutableRawBufferPointer,
        _ second: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard let file = file(number, .recv) else { return -Int(EBADF) }
        return receive(file, first, second)
    }

    func send(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        guard let file = file(number, .send) else { return -Int(EBADF) }
        return send(file, [UnsafeRawBufferPointer(start: bytes, count: count)])
    }

    func send(
        _ number: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        _ third: UnsafeRawBufferPointer
    ) -> Int {
        guard let file = file(number, .send) else { return -Int(EBADF) }
        return send(file, [first, second, third])
    }

    func unlink(_ path: String) -> Int { 0 }

    func socketFile(_ path: String) -> SocketFile? { nil }

    func resolve(_ host: String) -> Result<[SocketAddress], ResolutionError> {
        .failure(ResolutionError(host: host, message: "there are no names here"))
    }

    func randomSeed() -> UInt64 { run.chance.next() }

    /// On a thread that has ended before anything else goes on.
    func startThread(_ body: @escaping @Sendable () -> Void) -> Int {
        network.after(run.chance.time(upToMilliseconds: 20)) { Worker.runOnce(body) }
        return 0
    }
}
