// The clients, requests and single connections of a run.

@testable import Tron

extension World {
    /// Where a client may want to go: to peers, to this reactor's own servers, to nobody.
    private func drawTargets() -> [SocketAddress] {
        let own = servers.filter { !$0.isStopped }.map(\.server.address)
        return (0..<chance.pick(1, 1, 2)).map { _ in
            if chance.hits(100) { return emptyAddress }
            if chance.hits(300), let address = chance.pick(from: own) { return address }
            return chance.pick(from: peerAddresses) ?? emptyAddress
        }
    }

    func addClient() {
        guard let reactor, mayBegin else { return }
        var options = ClientOptions()
        options.session = drawSessionOptions()
        options.connectTimeout = .milliseconds(chance.pick(5, 200, 2000))
        options.stablePeriod = chance.pick(nil, .milliseconds(50))
        options.timeoutsBeforeReconnect = chance.pick(1, 2, nil)
        options.whileDisconnected = chance.pick(.wait, .wait, .fail)
        options.pendingRequests = chance.pick(1, 5, 1000)
        options.waitingRequests = chance.pick(0, 2, 100)
        options.jitterSeed = chance.next()
        options.firstSequence = chance.pick(0, 0, Int32.max - 2)
        let backoff = Backoff(
            initial: .milliseconds(chance.pick(1, 20, 300)), multiplier: chance.pick(1, 1.5, 2),
            attempts: chance.pick(1, 3, 10), jitter: chance.pick(.none, .full, .equal))
        let index = clients.count
        let client = reactor.connect(
            to: drawTargets(), reconnecting: backoff, options: options
        ) { [unowned self] session in
            begin(session, .client(clients[index]), options.session)
        }
        let record = ClientRecord(client, options)
        clients.append(record)
        client.onStateChange { [unowned self] _, state in
            handler(.state, index) { changed(record, state) }
        }
        for _ in 0..<chance.pick(0, 2, 6) {
            addTimer(within: 500) { self.request(of: record) }
        }
        if chance.hits(500) { request(of: record) }
    }

    private func changed(_ record: ClientRecord, _ state: ClientState) {
        run.tell("a client is \(state)")
        // A client that gave up can still be closed, which is told.
        if case .closed = record.state { run.fail("a client was told \(state) after its end") }
        record.state = state
        if case .closed = state {
            run.expect(record.isClosed || isStopping, "a client ended that nobody closed")
        }
    }
}

// MARK: - Requests

extension World {
    func request(of client: ClientRecord) {
        let most = chance.pick(20, 20, 300, client.options.session.limits.dataLength + 2)
        let length = 8 + chance.below(max(1, most - 8))
        let timeout = chance.time(upToMilliseconds: chance.pick(20, 300, 3000))
        let request = RequestRecord(
            UInt64(run.nextSerial()), length, client, isRepeatable: chance.hits(300), deadline: 0)
        requests[request.number] = request
        run.tell("request \(request.number) for \(timeout) ns")
        let isLate = reactor?.isFinished != false
        client.client.request(
            category: WirePacket.request, data: Payload.bytes(request.number, length),
            timeout: .nanoseconds(timeout), isRepeatable: request.isRepeatable
        ) { [unowned self] outcome in
            run.expect(request.isBegun || isLate, "a request ended before it had begun")
            run.expect(!request.isEnded, "request \(request.number) ended twice")
            request.isEnded = true
            obligations.meet(Int(request.number))
            ended(request, outcome)
        }
        request.isBegun = true
        request.deadline = run.clock + timeout
        if !request.isEnded {
            obligations.add(Int(request.number), request.deadline, "request")
        }
    }

    private func ended(_ request: RequestRecord, _ outcome: borrowing RequestOutcome) {
        switch outcome {
        case .answered(let packet):
            let (sequence, length) = (packet.sequence, packet.data.byteCount)
            let isOwn = packet.data.withUnsafeBytes {
                Payload.matches($0, request.number | WirePacket.answerBit, length)
            }
            handler(.answered, Int(request.number)) {
                run.expect(isOwn, "request \(request.number) got an answer that is not its own")
                run.expect(
                    request.sequence == sequence,
                    "request \(request.number) was sent as \(request.sequence ?? -1), and answered "
                        + "as \(sequence)")
            }
        case .failed(let error):
            handler(.failed, Int(request.number)) { failed(request, error) }
        }
    }

    private func failed(_ request: RequestRecord, _ error: RequestError) {
        run.tell("request \(request.number) failed: \(error)")
        let client = request.client
        let options = client.options
        switch error {
        case .timedOut:
            client.hadTimeout = true
            run.expect(
                run.clock >= request.deadline,
                "request \(request.number) timed out \(request.deadline - run.clock) ns early")
        case .connectionLost(let reason): client.lostReasons.append(reason)
        case .tooLarge:
            run.expect(
                request.length > options.session.limits.dataLength,
                "request \(request.number) was refused for its size")
        case .tooManyPending, .overflow: run.met(.capHit)
        case .closed:
            run.expect(
                client.isClosed || isStopping, "a request was told that its client is closed")
        case .cancelled: run.fail("request \(request.number) was cancelled by nobody")
        case .notConnected: break
        }
    }

    func close(_ client: ClientRecord) {
        client.isClosed = true
        for record in records where record.client === client && record.session.isOpen {
            beginClosing(record)
        }
        client.client.close()
    }
}

// MARK: - Single connections

extension World {
    func dial() {
        guard let reactor, mayBegin, let address = drawTargets().first else { return }
        let options = drawSessionOptions()
        let timeout = chance.time(upToMilliseconds: chance.pick(20, 2000))
        let serial = run.nextSerial()
        var isBegun = false
        outstanding[serial] = "a connection attempt"
        let connector = reactor.dial(
            address, timeout: .nanoseconds(timeout), options: options
        ) { [unowned self] result in
            run.expect(isBegun, "a connection attempt was decided before it had begun")
            run.expect(outstanding[serial] != nil, "a connection attempt was decided twice")
            outstanding[serial] = nil
            obligations.meet(serial)
            switch result {
            case .success(let session): begin(session, .dialed, options)
            case .failure(let error):
                handler(.dialed, serial) { run.tell("a connection attempt failed: \(error)") }
            }
        }
        isBegun = true
        connectors.append(connector)
        obligations.add(serial, run.clock + timeout, "connection attempt")
    }
}
