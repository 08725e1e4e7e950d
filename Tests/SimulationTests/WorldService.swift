// A run whose reactor is a service: it ends by requests, and nothing of it is left when it returns.
import Glibc
import TronTestKit

@testable import Tron

extension World {
    /// How many of a thousand runs are a service's.
    static let serviceRuns = 250

    /// Runs the reactor as a service does, until that has returned.
    func playService() {
        let deadline = chance.time(upToMilliseconds: chance.pick(10, 2000))
        let spread = chance.hits(300) ? deadline / 2 : 0
        let service = ReactorService(
            limits: limits, drainingWithin: .nanoseconds(deadline), spread: .nanoseconds(spread),
            kernel: kernel
        ) { [unowned self] in try beginService($0) }
        let record = ServiceRecord(service, deadline: deadline)
        self.service = record
        record.refuses = chance.hits(150)
        if chance.hits(50) { requestEndFromElsewhere() }
        playOnce(record)
        while case .failure(let error) = record.result, !record.isSetUp {
            judge(error, record)
            playOnce(record)
        }
        if case .failure(let error) = record.result { run.fail("a service threw \(error)") }
        run.expect(record.isSetUp, "a service returned that had not begun, and did not say why")
    }

    private func playOnce(_ record: ServiceRecord) {
        kernel.runsThreadsHere = true
        record.begin()
        run.faults.isCalm = true
        while record.result == nil {
            guard let next = kernel.network.agenda.nextTime,
                let action = kernel.network.agenda.take(until: next)
            else { return run.fail("a service never returns") }
            run.clock = max(run.clock, next)
            action()
            record.goOn()
            if record.isSetUp {
                return run.expect(
                    record.result != nil, "a service goes on though its reactor has ended")
            }
        }
    }

    /// Why it did not begin.
    private func judge(_ error: any Error, _ record: ServiceRecord) {
        let isExpected =
            error is ServiceRecord.Refusal
            ? record.refuses
            : error as? SystemError == SystemError(.pthread_create, code: EAGAIN)
        run.expect(isExpected, "a service could not begin: \(error)")
        run.expect(kernel.openCount == 0, "a service that could not begin keeps descriptors")
        run.met(.serviceRefused)
        record.refuses = false
        run.faults.isCalm = true
        // That run has ended, and its requests with it.
        record.requests = 0
        stopTurn = nil
        isStopping = false
    }

    private func beginService(_ reactor: Reactor) throws {
        guard let service else { return }
        kernel.runsThreadsHere = false
        if service.refuses { throw ServiceRecord.Refusal() }
        service.isSetUp = true
        run.faults.isCalm = false
        setUp(reactor)
        // Nothing that it does before it waits is to fail.
        run.faults.isCalm = true
        guard service.requests == 0 else {
            _ = reactor.remote.submitAlways { [unowned self] _ in drainBegins() }
            return
        }
        kernel.network.after(0) { [unowned self] in run.faults.isCalm = false }
        // At the end most of its sessions have ended by themselves.
        guard chance.hits(600) else { return }
        kernel.network.after(chance.time(upToMilliseconds: length)) { self.requestEnd() }
    }

    // MARK: Its end

    /// Asks for its end, in one of the ways that there are; now and then soon again.
    func requestEnd() {
        guard let service else { return }
        requestEndFromElsewhere()
        guard chance.hits(700) else { return }
        let time = chance.time(upToMilliseconds: chance.pick(1, 1, 2, 300))
        kernel.network.after(time) { [unowned self, unowned service] in
            if service.drain != nil && !isStopping { run.met(.serviceStopped) }
            requestEndFromElsewhere()
        }
    }

    private func requestEndFromElsewhere() {
        guard let service else { return }
        service.requests += 1
        if service.requests > 1 { noteStop() }
        // Whoever is refused the wake-up does not make up for it.
        run.faults.isCalm = true
        let remote = service.requests == 1 ? reactor?.remote : nil
        // Who cancels twice asks once.
        let task = chance.hits(500) && !service.isCancelled ? service.task : nil
        if task != nil { service.isCancelled = true }
        Worker.runOnce { [self, service] in
            // It is done right before the drain begins.
            _ = remote?.submitAlways { [unowned self] _ in drainBegins() }
            if let task { task.cancel() } else { service.service.shutDown() }
        }
    }

    /// All servers that there are begin to drain.
    private func drainBegins() {
        guard let reactor, let service else { return }
        for server in reactor.servers {
            service.expect(
                server.sessionCount, drainedOf: server.address, isLate: isStopping)
        }
        guard !isStopping else { return }
        let sessions = noteDrainOfAll()
        let serial = run.nextSerial()
        service.drained = sessions.count
        outstanding[serial] = "a service's drain"
        service.drain = serial
        service.draining = sessions
        obligations.add(serial, run.clock + service.deadline, "drain of a service")
        noteDrained()
    }

    /// A session has ended: with the last of those that the service drains it may stop.
    func noteDrained() {
        guard let service, let serial = service.drain,
            service.draining.allSatisfy(\.isClosed)
        else { return }
        isStopping = true
        service.draining = []
        noteFarewell()
        service.drain = nil
        outstanding[serial] = nil
        obligations.meet(serial)
    }

    func checkService() {
        guard let service else { return }
        run.expect(
            service.unreported.isEmpty,
            "drains of \(service.unreported) sessions were never reported")
        service.draining = []
        if let count = service.drained, count > 0, stopTurn == nil { run.met(.serviceDrained) }
    }

    // MARK: Another run of the same service

    /// Asked for its end while it does not run, it ends as soon as it is set up: here with nothing.
    func playAgain(_ record: ServiceRecord) {
        guard chance.hits(300), run.failure == nil else { return }
        run.faults.isCalm = true
        kernel.beforeWait = { [run] _ in
            record.watch(run)
            if run.failure != nil { record.service.shutDown() }
        }
        let turns = kernel.turns
        record.service.shutDown()
        playOnce(record)
        kernel.beforeWait = { _ in }
        guard case .success = record.result else {
            return run.fail("a service does not run again")
        }
        run.expect(kernel.turns - turns <= 3, "a service that was to end at once does not")
        run.met(.serviceRanAgain)
    }
}
