// The requests of a run, with completions and from tasks: how each is made, and judged at its end.

import TronTestKit

@testable import Tron

extension World {
    /// Makes a request, or has a task make it.
    func request(of client: ClientRecord) {
        let most = chance.pick(20, 20, 300, client.options.session.limits.maximumDataLength + 2)
        let length = 8 + chance.below(max(1, most - 8))
        // Many have the same, and are over in the order in which they were made.
        let timeout =
            chance.hits(500)
            ? chance.pick(5_000_000, 200_000_000)
            : chance.time(upToMilliseconds: chance.pick(20, 300, 3000))
        let request = RequestRecord(
            UInt64(run.nextSerial()), length, client, isRepeatable: chance.hits(300),
            timeout: timeout)
        requests[request.number] = request
        run.tell("request \(request.number) for \(request.timeout) ns")
        if chance.hits(150) && mayBegin { askFromTask(request) } else { ask(request) }
    }

    private func ask(_ request: RequestRecord) {
        let isLate = reactor?.isFinished != false
        var isBegun = false
        noteAsked(request)
        request.client.client.request(
            category: WirePacket.request, data: Payload.bytes(request.number, request.length),
            timeout: .nanoseconds(request.timeout), isRepeatable: request.isRepeatable
        ) { [unowned self] outcome in
            run.expect(isBegun || isLate, "a request ended before it had begun")
            switch outcome {
            case .answered(let packet):
                let sequence = packet.sequence
                packet.data.withUnsafeBytes { answered(request, sequence, $0) }
            case .failed(let error): failed(request, error)
            }
        }
        isBegun = true
        request.queuedAfter = request.client.current?.session.queuedBytes ?? 0
        if request.isEnded { return }
        // Calls of the system may have followed the one that read the clock.
        obligations.add(Int(request.number), run.clock + request.timeout, "request")
    }

    /// A task on the reactor's own executor, which makes the request when its turn comes. It may be
    /// interrupted before it asks, so that nobody knows by when the request has to end.
    private func askFromTask(_ request: RequestRecord) {
        guard let reactor else { return }
        request.isAwaited = true
        hasTasks = true
        let task = Task(executorPreference: reactor.executor) { [unowned self] in
            noteAsked(request)
            do throws(RequestError) {
                let packet = try await request.client.client.request(
                    category: WirePacket.request,
                    data: Payload.bytes(request.number, request.length),
                    timeout: .nanoseconds(request.timeout), isRepeatable: request.isRepeatable)
                packet.data.withUnsafeBytes { answered(request, packet.sequence, $0) }
            } catch {
                failed(request, error)
            }
        }
        guard chance.hits(300) else { return }
        addTimer(within: 300) { [unowned request] in
            request.isCancelled = true
            task.cancel()
        }
    }
}

// MARK: - How they end

extension World {
    private func ended(_ request: RequestRecord) {
        run.expect(!request.isEnded, "request \(request.number) ended twice")
        request.isEnded = true
        request.client.open.removeAll { $0 === request }
        obligations.meet(Int(request.number))
    }

    private func answered(
        _ request: RequestRecord, _ sequence: Int32, _ data: UnsafeRawBufferPointer
    ) {
        ended(request)
        let isOwn = Payload.matches(data, request.number | WirePacket.answerBit, data.count)
        run.expect(isOwn, "request \(request.number) got an answer that is not its own")
        run.expect(
            request.sequence == sequence,
            "request \(request.number) was sent as \(request.sequence ?? -1), and answered as "
                + "\(sequence)")
        run.met(.answered)
        if request.carriers.count > 1 { run.met(.repeatedAndAnswered) }
        if request.client.connections > 1 { run.met(.answeredAfterReconnect) }
        // A task is told in its turn: its client may have another session by then.
        let session = records.last { $0.end.serial == request.carriers.last }
        session?.hasBeenAnswered = true
        handler(.answered, Int(request.number)) {}
    }

    private func failed(_ request: RequestRecord, _ error: RequestError) {
        ended(request)
        run.tell("request \(request.number) failed: \(error)")
        judge(request, error)
        let isRefusal =
            switch error {
            case .tooManyPending, .tooLarge, .overflow: !request.isAwaited
            default: false
            }
        handler(isRefusal ? .turnedDown : .failed, Int(request.number)) {}
    }

    private func judge(_ request: RequestRecord, _ error: RequestError) {
        let client = request.client
        let options = client.options
        if let complaint = complaint(about: error, of: request) {
            run.fail("request \(request.number) was told “\(error)”, but \(complaint)")
        }
        switch error {
        case .timedOut:
            run.expect(
                run.clock >= request.deadline,
                "request \(request.number) timed out \(request.deadline - run.clock) ns early")
        case .connectionLost(let reason):
            // A task is told only when its turn comes, perhaps after the session.
            if request.isAwaited { break }
            client.lostReasons.append(reason)
            run.expect(
                client.client.session == nil, "a client has a session whose requests are lost")
        case .tooLarge:
            run.expect(
                request.length > options.session.limits.maximumDataLength,
                "request \(request.number) was refused for its size")
        case .tooManyPending, .overflow: run.met(.capHit)
        case .closed:
            run.expect(
                client.isClosed || isStopping, "a request was told that its client is closed")
        case .cancelled:
            run.expect(
                request.isCancelled, "request \(request.number) was cancelled by nobody")
        case .notConnected: break
        }
    }
}
