// The world of one run: a reactor on the simulated kernel, and everything that is asked of it.

import TronTestKit

@testable import Tron

/// Drives one reactor through one seed.
///
/// Everything happens on one thread: the library calls the kernel, whose waits let the network and
/// the peers act; handlers call the library. `@unchecked` because work that is submitted has to be
/// Sendable: the threads that submit it have ended before anything else goes on.
final class World: @unchecked Sendable {
    let run: Run
    let kernel: SimulatedKernel
    var reactor: Reactor?
    var obligations = Obligations()

    var records: [SessionRecord] = []
    var servers: [ServerRecord] = []
    var clients: [ClientRecord] = []
    var requests: [UInt64: RequestRecord] = [:]
    var timers: [TimerRecord] = []
    var connectors: [ConnectionAttempt] = []
    /// Of those that are not decided the limits of their sessions, by their serial.
    var attempts: [Int: SessionLimits] = [:]
    var groups: [GroupRecord] = []
    var meter: MeterRecord?
    var replies: [(address: ReplyAddress, record: SessionRecord, number: UInt64)] = []
    /// Calls that were left for later and are not made, by their serial, the oldest first.
    var soonCalls: [Int] = []

    /// Addresses where a peer listens, and one where nobody does.
    let peerAddresses = (1...3).map { SocketAddress.ipv4(host: 0x0a09_0000 + $0, port: 9000) }
    let unixAddress: SocketAddress
    let emptyAddress = SocketAddress.ipv4(host: 0x0a09_00ff, port: 1)

    /// What this run does at all.
    let habits: Habits
    /// What the present turn did.
    var budget = TurnBudget()
    /// Where a listener has rested since a session was last accepted there.
    var rested: Set<SocketAddress> = []
    /// Sessions whose beginning and end were told as events, if the run hears them.
    var hearsEvents = false
    /// More than it may be told is counted, and told as a number.
    var mayMissEvents = false
    var suppressedEvents = 0
    var begunEvents: Set<SessionID> = []
    var endedEvents: [SessionID: CloseReason] = [:]

    /// Much is sent, more than buffers hold.
    let isHeavy: Bool
    /// Large packets come, and are mostly sent on as they are.
    let isRelaying: Bool
    /// Its reactor is a service's.
    let isService: Bool
    /// How long the run lasts until its end begins, in milliseconds. What repeats does so less
    /// often in a long one, so that none has more than `mostTurns` in which no byte moves.
    let length: Int
    static let mostTurns = 5000
    /// After so many system calls a run in which bytes move is stopped.
    static let mostCalls = 100_000
    var turnsWithoutBytes = 0
    var hasMovedBytes = false
    /// The run's end has begun: nothing is made to go wrong any more, and the world lets go.
    var isEnding = false

    /// Calls that are still to be made in handlers, so that every run ends.
    var pokesLeft = 0
    var isStopping = false
    /// A drain has ended the servers' sessions: all others are closed, too.
    var saysFarewell = false
    /// The turn in which it was first told to stop.
    var stopTurn: Int?
    /// What runs the reactor, if it is not the run itself.
    var service: ServiceRecord?
    /// Handlers called so far.
    var callbacks = 0
    var submittedWaiting = 0
    var signalsTold = 0
    /// Tasks' jobs take places among the submitted work, too.
    var hasTasks = false
    /// And so do the answers to lookups, and what finishes a farewell.
    var hasUncountedWork = false
    /// Completions that have been promised, by their serial.
    var outstanding: [Int: StaticString] = [:]
    /// What the watch saw at the last wait.
    var idleWaits = 0
    var callbacksSeen = 0
    var callsSeen = 0
    let limits: ReactorLimits
    /// Files that other processes have put where servers listen.
    var strangersFiles: [String: UInt64] = [:]

    var chance: Chance { run.chance }

    init(_ run: Run) throws {
        self.run = run
        kernel = SimulatedKernel(run)
        isRelaying = run.chance.hits(Self.relayingRuns)
        isService = run.chance.hits(Self.serviceRuns)
        var limits = Self.drawLimits(run.chance, isRelaying: isRelaying)
        // Of the work that asks for its end none is left to the next turn.
        if isService { limits.maximumWorkPerTurn = 1024 }
        self.limits = limits
        unixAddress = try SocketAddress("unix:@peer")
        habits = Habits(drawnFrom: run.chance)
        isHeavy = run.chance.hits(150)
        length = run.chance.pick(20, 300, 3000, 30_000)
        pokesLeft = run.chance.pick(10, 60, 150)
        if min(limits.maximumFlushesPerTurn, limits.maximumReleasesPerTurn) < 1000 {
            kernel.fruitlessLimit = 100
        }
        kernel.network.names = [
            "one": [peerAddresses[0]], "some": peerAddresses, "empty": [emptyAddress],
        ]
        if isRelaying {
            kernel.network.shape = { chance in
                EndShape(
                    inboxCapacity: chance.pick(40_000, 300_000),
                    outboxCapacity: chance.pick(4000, 40_000, 300_000),
                    latency: chance.time(upToMilliseconds: chance.pick(1, 1, 20)))
            }
        }
        kernel.beforeWait = { [unowned self] in watch($0) }
        kernel.network.acceptAfar = { [unowned self] in acceptAfar($0, $1) }
    }

    /// A call of the library to one of this run's closures: what it does besides its own task is
    /// random, as users are.
    func handler(
        _ step: Step, _ serial: Int, of record: SessionRecord? = nil, _ body: () -> Void
    ) {
        callbacks += 1
        run.note(step, serial)
        if let limit = budget.count(step, turn: kernel.turns, limits), !isStopping {
            run.fail("a turn does more than \(limit)")
        }
        body()
        if run.strikes(.longHandler) {
            run.met(.longHandler)
            let time = chance.time(upToMilliseconds: chance.pick(3, 100, 3000))
            run.lose(time)
            run.note(.longHandler, serial)
            if step == .bytes || step == .frame || step == .packet && record?.receiver == .packets {
                meter?.noteHandler(time, turn: kernel.turns)
            }
        }
        if let record { goOn(record) }
        let most = run.faults.isOn(.reentrantCall) ? 3 : 1
        for _ in 0..<most where pokesLeft > 0 && chance.hits(300) {
            run.met(.reentrantCall)
            poke(record)
        }
    }

    /// What a session's user does in each of its handlers who never changes his ways.
    private func goOn(_ record: SessionRecord) {
        switch record.adversary {
        case .closesAlways: beginClosing(record, call: record.session.close)
        case .neverReads: if !record.isPaused { pause(record) }
        case .onlyStreams, .reinstalls, nil: break
        }
    }

    func stop() {
        noteStop()
        reactor?.stop()
    }

    /// From now on it stops, as soon as this turn has ended.
    func noteStop() {
        isStopping = true
        stopTurn = stopTurn ?? kernel.turns
    }
}

// MARK: - The story of a run

extension World {
    /// Sets everything up, runs the reactor, and looks at what is left.
    func play() throws {
        run.note(.begins, limits.maximumBytesReadPerTurn, pokesLeft)
        if isService { playService() } else { try playReactor() }
        isStopping = true
        let service = service
        checkEnd()
        forgetAll()
        if let service { playAgain(service) }
        run.expect(
            kernel.openCount == 0,
            "\(kernel.openCount) descriptors are open at the end: "
                + "\(kernel.table.all.map { "\($0.number) \($0.kind)" })")
        run.note(.ends, kernel.turns, Int(kernel.calls))
        kernel.network.dissolve()
    }

    private func playReactor() throws {
        run.faults.isCalm = true
        let reactor = try Reactor(limits: limits, kernel: kernel)
        run.faults.isCalm = false
        setUp(reactor)
        try reactor.run()
    }

    /// Gives the reactor all that it is to have from the beginning.
    func setUp(_ reactor: Reactor) {
        self.reactor = reactor
        reactor.maximumSimultaneousAttempts = chance.pick(1, 2, 256)
        drawEvents()
        plan()
    }

    private func plan() {
        for _ in 0..<chance.pick(0, 1, 1, 2) { addServer() }
        for _ in 0..<chance.pick(0, 0, 1, 2) { addClient() }
        for _ in 0..<chance.pick(0, 1, 2) { dial() }
        if chance.hits(200) { watchSignals() }
        planCallers(within: length)
        planDisturbances(within: length)
        for _ in 0..<chance.pick(0, 2, 10) { addTimer(within: length) }
        for _ in 0..<(habits.has(.meters) ? chance.pick(3, 20) : 0) {
            addTimer(within: length) { self.readMeter() }
        }
        if chance.hits(200) {
            // Few descriptors, but enough for what there is already.
            kernel.table.limit = kernel.openCount + chance.between(1, 4)
        }
        if chance.hits(300) { addTimer(within: length) { self.stop() } }
        for _ in 0..<(habits.has(.drains) && chance.hits(600) ? chance.pick(1, 2, 3) : 0) {
            addTimer(within: length) { [unowned self] in
                if let server = chance.pick(from: servers) { drain(server) }
            }
        }
        kernel.network.after(Int64(length) * 1_000_000) { self.end() }
    }
}
