// The clients and single connections of a run.

import TronTestKit

@testable import Tron

extension World {
    /// Where a client may want to go: to peers, to this reactor's own servers, to nobody.
    private func drawTargets() -> [SocketAddress] {
        // Who comes by no proxy is turned away, at once and for good.
        let own = servers.filter { !$0.isStopped && $0.options.proxyProtocol == nil }
            .map(\.server.address)
        return (0..<chance.pick(1, 1, 2)).map { _ in
            if chance.hits(100) { return emptyAddress }
            if chance.hits(100) { return unixAddress }
            if chance.hits(300), let address = chance.pick(from: own) { return address }
            return chance.pick(from: peerAddresses) ?? emptyAddress
        }
    }

    /// Some clients have a name to go by, which may be nobody's.
    private func drawName() -> String? {
        guard habits.has(.names), chance.hits(400) else { return nil }
        return chance.hits(150) ? "nobody" : chance.pick(from: kernel.network.names.keys.sorted())
    }

    func addClient() {
        guard let reactor, mayBegin else { return }
        var options = ClientOptions()
        options.session = drawSessionOptions()
        options.connectTimeout = .milliseconds(chance.pick(5, 200, 2000))
        options.stablePeriod = chance.pick(nil, .milliseconds(50))
        options.proof = chance.pick(.reception, .reception, .confirmation)
        options.timeoutsBeforeReconnect = chance.pick(1, 2, nil)
        options.whileDisconnected = chance.pick(.wait, .wait, .fail)
        options.maximumPendingRequests = chance.pick(1, 5, 1000)
        options.maximumCopiedRequests = chance.pick(0, 2, 100)
        options.jitterSeed = chance.next()
        options.firstSequence = chance.pick(0, 0, Int32.max - 2)
        let isBusy = run.faults.isOn(.lateAnswer) && chance.hits(300)
        if isBusy {
            options.maximumPendingRequests = 1000
            options.timeoutsBeforeReconnect = nil
        }
        let backoff = Backoff(
            initial: .milliseconds(chance.pick(1, 20, 300)), multiplier: chance.pick(1, 1.5, 2),
            attempts: chance.pick(1, 3, 10, nil), jitter: chance.pick(.none, .full, .equal))
        let index = clients.count
        let setup: (Session) -> Void = { [unowned self] session in
            begin(session, .client(clients[index]), options.session)
        }
        let (name, targets) = (drawName(), drawTargets())
        if name != nil { hasUncountedWork = true }
        let client =
            name.map {
                reactor.makeClient(
                    to: "\($0):9000", reconnecting: backoff, options: options, setup: setup)
            }
            ?? reactor.makeClient(
                to: targets, reconnecting: backoff, options: options, setup: setup)
        let count = name.map { kernel.network.names[$0]?.count ?? 1 } ?? targets.count
        let record = ClientRecord(
            client, options, backoff, targets: count, isNamed: name != nil,
            serial: run.nextSerial())
        clients.append(record)
        client.onStateChange { [unowned self] _, state in
            handler(.state, index) { changed(record, state) }
        }
        for _ in 0..<chance.pick(0, 2, 6) {
            addTimer(within: 500) { self.request(of: record) }
        }
        if chance.hits(500) { request(of: record) }
        // So many that late answers meet requests with the same low bits in their sequence.
        for _ in 0..<(isBusy ? 40 : 0) {
            addTimer(within: 100) { for _ in 0..<4 { self.request(of: record) } }
        }
    }

    private func changed(_ record: ClientRecord, _ state: ClientState) {
        run.tell("a client is \(state)")
        if record.state.isFinal { run.fail("a client was told \(state) after \(record.state)") }
        judge(record, state)
        record.state = state
        record.changes += 1
        // One that comes and goes would do so for as long as the run lasts.
        if record.changes == 60 { callSoon { [unowned self] in close(record) } }
        if case .closed = state {
            run.expect(record.isClosed || isStopping, "a client ended that nobody closed")
        }
        if case .connected = state, let current = record.current, chance.hits(400) {
            record.confirmed = current
            record.client.confirm(current.session)
        }
    }
}

// MARK: - Single connections

extension World {
    func close(_ client: ClientRecord) {
        client.isClosed = true
        for record in records where record.client === client && !record.session.isClosing {
            beginClosing(record)
        }
        client.client.close()
    }

    func dial() {
        guard let reactor, mayBegin, let address = drawTargets().first else { return }
        let options = drawSessionOptions()
        let timeout = chance.time(upToMilliseconds: chance.pick(20, 2000))
        let serial = run.nextSerial()
        var isBegun = false
        var deadline: Int64 = 0
        outstanding[serial] = "a connection attempt"
        attempts[serial] = options.limits
        let connector = reactor.connectOnce(
            to: address, timeout: .nanoseconds(timeout), options: options
        ) { [unowned self] result in
            run.expect(isBegun, "a connection attempt was decided before it had begun")
            run.expect(outstanding[serial] != nil, "a connection attempt was decided twice")
            outstanding[serial] = nil
            attempts[serial] = nil
            obligations.meet(serial)
            switch result {
            case .success(let session): begin(session, .dialed, options)
            case .failure(let error):
                handler(.dialed, serial) { run.tell("a connection attempt failed: \(error)") }
                if case .timedOut = error {
                    run.expect(run.clock >= deadline, "a connection attempt timed out early")
                }
            }
        }
        isBegun = true
        connectors.append(connector)
        deadline = run.clock + timeout
        obligations.add(serial, deadline, "connection attempt")
    }
}
