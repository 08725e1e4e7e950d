// The world of a group: several reactors of one process, which share what they listen on.
import TronTestKit

@testable import Tron

/// Drives the reactors of one group through one seed, turn by turn, in any order.
///
/// `@unchecked` because the group's closures have to be Sendable: all of it is on one thread.
final class GroupWorld: @unchecked Sendable {
    let run: Run
    let network: Transport
    private let process = SimulatedProcess()
    private var kernels: [SimulatedKernel] = []
    private var reactors: [Reactor?] = []
    private(set) var group: ReactorGroup?
    private(set) var server: GroupServer?
    private(set) var options = ServerOptions()
    private(set) var sessions: [GroupSession] = []
    /// Whose turn it is.
    private(set) var current: Int?
    /// The numbers of packets to all.
    var broadcasts: Set<UInt64> = []
    /// It drains, or was stopped at once; and until when a drain may last.
    var isShutDown = false
    var isStopped = false
    var drainEnd = Int64.max
    let deadline: Int64

    private(set) var turns = 0
    private static let mostTurns = 200_000

    var chance: Chance { run.chance }

    init(_ run: Run) {
        self.run = run
        network = Transport(run: run)
        deadline = run.chance.time(upToMilliseconds: 5000)
        // A few bytes at a time would take as many turns.
        network.shape = { chance in
            EndShape(
                inboxCapacity: chance.pick(300, 4000, 40_000),
                outboxCapacity: chance.pick(300, 4000, 40_000),
                latency: chance.time(upToMilliseconds: chance.pick(1, 1, 20)))
        }
    }

    // MARK: The story of a run

    func play() throws {
        run.faults.isCalm = true
        let count = chance.pick(2, 2, 3)
        let place = Place("group", host: 0x0a00_0001)
        kernels = (0...count).map { _ in
            SimulatedKernel(steppedAt: place, in: network, of: process)
        }
        for kernel in kernels {
            kernel.adoptThread()
            kernel.fruitlessLimit = 100
        }
        try begin(count)
        // It accepts once all of them are there.
        for _ in 0..<100 where group?.isReady == false { _ = step() }
        run.expect(group?.isReady == true, "a group does not come to accept")
        run.faults.isCalm = false
        plan()
        while reactors.contains(where: { $0 != nil }) {
            guard step() else { return run.fail("a group sleeps for ever") }
            turns += 1
            guard turns < Self.mostTurns else { return run.fail("a group comes to no end") }
            if run.failure != nil { break }
        }
        checkEnd()
        letGo()
    }

    private func begin(_ count: Int) throws {
        let spread = chance.hits(300) ? Duration.nanoseconds(deadline / 2) : .zero
        let group = ReactorGroup(
            count: .exactly(count), drainingWithin: .nanoseconds(deadline), spread: spread,
            kernel: kernels[count])
        self.group = group
        let address = drawServer()
        server = try group.listen(on: address, options: options) { [unowned self] session in
            begin(session)
        }
        for index in 0..<count {
            let reactor = try Reactor(limits: drawLimits(), kernel: kernels[index])
            reactors.append(reactor)
            current = index
            try group.join(reactor, at: index)
            current = nil
        }
    }

    private func drawServer() -> SocketAddress {
        options.session.limits.maximumDataLength = 20_000
        options.limits.maximumAcceptsPerTurn = chance.pick(1, 3, 64)
        if run.faults.isOn(.capHit) { options.limits.maximumSessions = chance.pick(2, 5) }
        if chance.hits(400), let path = try? UnixPath("@group") { return .unix(path) }
        if chance.hits(600) {
            options.proxyProtocol = .required(
                from: World.networks, within: .milliseconds(chance.pick(300, 5000)))
        }
        return .ipv4(host: 0x0a00_0001, port: chance.pick(0, 9000))
    }

    private func drawLimits() -> ReactorLimits {
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn = chance.pick(16, 1000, 16_384)
        limits.maximumWorkPerTurn = chance.pick(1, 1024)
        limits.maximumFlushesPerTurn = chance.pick(1, 1024)
        limits.maximumReleasesPerTurn = chance.pick(1, 1024)
        return limits
    }

    private func letGo() {
        // Of a run that failed they end now, and tell their sessions.
        reactors = []
        network.agenda.removeAll()
        for session in sessions { session.end.observer = nil }
        sessions = []
        server = nil
        group = nil
        let open = process.table.all.map { "\($0.number) \($0.kind)" }
        run.expect(
            run.failure != nil || open.isEmpty,
            "descriptors of a group are open at its end: \(open)")
        network.dissolve()
    }

    // MARK: Steps

    private func step() -> Bool {
        if let action = network.agenda.take(until: run.clock) {
            action()
            return true
        }
        let due = reactors.indices.filter(isDue)
        if let index = chance.pick(from: due) {
            turn(index)
            return true
        }
        let next = reactors.reduce(network.agenda.nextTime ?? .max) {
            min($0, $1?.nextTimer(at: run.clock) ?? .max)
        }
        guard next < .max else { return false }
        run.clock = max(run.clock, next)
        return true
    }

    private func isDue(_ index: Int) -> Bool {
        guard let reactor = reactors[index] else { return false }
        return reactor.hasWork || reactor.remote.stopsRequested || kernels[index].isReady
            || reactor.nextTimer(at: run.clock).map { $0 <= run.clock } ?? false
    }

    private func turn(_ index: Int) {
        guard let reactor = reactors[index] else { return }
        current = index
        run.speaker = "reactor \(index)"
        kernels[index].adoptThread()
        reactor.enter()
        var goesOn = false
        do {
            goesOn = try reactor.step()
            if !goesOn { try reactor.tellOfEnd() }
        } catch {
            run.fail("a reactor of a group threw \(error)")
        }
        reactor.leave()
        if !goesOn {
            let totals = reactor.snapshot().serverTotals
            for _ in 0..<totals.takenOver { run.met(.groupHandedOver) }
            reactor.finish()
            reactors[index] = nil
            group?.ended(at: index)
        }
        current = nil
        run.speaker = nil
        run.turnEnded()
    }

    // MARK: Its sessions

    private func begin(_ session: Session) {
        guard let current, let number = kernels[current].table[session.descriptor],
            let end = number.end, let server
        else { return run.fail("a session of a group begins in nobody's turn") }
        run.expect(
            group?.index(of: session.id) == current,
            "a session of reactor \(current) is said to be another's")
        for (index, other) in reactors.enumerated() where index != current {
            run.expect(
                other?.session(session.id) == nil,
                "reactor \(index) finds a session of reactor \(current)")
        }
        Origins.judge(session, end, options, run, isUnix: server.address.isUnix)
        let record = GroupSession(session, end, on: current, self)
        sessions.append(record)
        session.onClose { [unowned record] _, reason in record.closed(reason) }
        session.onPacket { [unowned self, unowned record] session, packet in
            guard let number = record.receive(packet) else { return }
            answer(number, session.replyAddress(of: packet), record)
        }
    }

    /// At once, or later: from elsewhere, or from another reactor's turn.
    private func answer(_ number: UInt64, _ address: ReplyAddress, _ record: GroupSession) {
        record.owe(number, address)
        switch chance.below(4) {
        case 0, 1: reply(number, record, isAtOnce: true)
        case 2:
            network.after(chance.time(upToMilliseconds: 50)) { self.reply(number, record) }
        default:
            group?.submitToAll { [unowned self] reactor in
                if reactor.indexInGroup != record.index { reply(number, record) }
            }
            // A group that stops may not get to it.
            network.after(60_000_000) { self.reply(number, record) }
        }
    }

    private func reply(_ number: UInt64, _ record: GroupSession, isAtOnce: Bool = false) {
        guard let address = record.owed[number], let group else { return }
        let answer = WirePacket(
            sequence: address.sequence, category: address.category,
            number: number | WirePacket.answerBit, length: 8 + chance.below(100))
        record.give(number)
        if isAtOnce, let index = current, let reactor = reactors[index] {
            reactor.reply(to: address, data: answer.data)
        } else if group.reply(to: address, data: answer.data).isAccepted {
            run.met(.groupReplied)
        }
    }
}
