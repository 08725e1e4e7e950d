// The kernel of a run: every system call of the library, answered in memory.
import Glibc
import Tron

/// Sockets, epoll, eventfd, signals and the clock of one run, on one thread.
package final class SimulatedKernel: KernelBackend, @unchecked Sendable {
    package let run: Run
    package let network: Transport
    package let place: Place
    /// Whether the loop is driven turn by turn: a wait then returns at once.
    package let isStepped: Bool
    let elsewhere = WorkFromElsewhere()
    package let process: SimulatedProcess
    package var table: DescriptorTable {
        get { process.table }
        _modify { yield &process.table }
    }
    package var retiredTokens: [UInt64] = []
    /// How often a descriptor may be told ready before something is done about it: the last phases
    /// of a turn may have much to do, and a small limit.
    package var fruitlessLimit = 3
    package var turns = 0
    package private(set) var calls = 0
    /// Signals that the library has taken.
    package var signalsTaken = 0
    var callsInTurn = 0
    var nextPort: UInt16 = 40_000
    /// Descriptors of sessions that were closed.
    package internal(set) var closedSessions = 0
    /// Called as a wait begins, with its time limit.
    package var beforeWait: (Int64) -> Void = { _ in }
    /// A thread that wakes the loop may be refused that.
    var refusesWakeups = true
    /// A thread runs where it is started: it is the loop's own, and the calling thread drives it.
    package var runsThreadsHere = false
    /// Waits do not wait any more: the run is to end.
    package var hurries = false

    package init(_ run: Run) {
        self.run = run
        network = Transport(run: run)
        process = SimulatedProcess()
        place = .somewhere
        isStepped = false
    }

    /// A kernel among others, whose loops are driven turn by turn. Those of one process have its
    /// descriptors in common.
    package init(
        steppedAt place: Place, in network: Transport,
        of process: SimulatedProcess = SimulatedProcess()
    ) {
        self.process = process
        run = network.run
        self.network = network
        self.place = place
        isStepped = true
    }

    /// The process is killed: what it had is reset. Its descriptors stay, for whoever still closes
    /// them.
    package func crash() {
        table.forEach { file in
            file.watcher = nil
            if let listener = file.listener { network.stop(listener) }
            if let end = file.end { network.close(end, resets: true) }
        }
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
        callsInTurn += 1
        run.clock += 137
        if callsInTurn == 500_000 {
            run.fail("500,000 system calls, and the loop does not come to a wait")
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
        if isStepped && elsewhere.isElsewhere { return elsewhere.note() }
        guard let file = file(number, .write) else { return -Int(EBADF) }
        if refusesWakeups && run.strikes(.noBuffers) { return -Int(ENOMEM) }
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
}
