// The servers and sessions of a run: how they are set up, and what their handlers do.

@testable import Tron

extension World {
    func drawSessionOptions() -> SessionOptions {
        var options = SessionOptions()
        options.limits = drawSessionLimits()
        if habits.has(.idleTimes) {
            let times: [Duration?] = [
                nil, nil, nil, .milliseconds(30), .milliseconds(500), .seconds(5),
            ]
            options.idle.read = chance.pick(from: times) ?? nil
            options.idle.write = chance.pick(from: times) ?? nil
            options.idle.either = chance.pick(from: times) ?? nil
        }
        options.overflow = habits.has(.refusals) ? .refuse : chance.pick(.close, .refuse)
        options.pausesReadingAboveHighWatermark = chance.hits(500)
        if habits.has(.halfClose) {
            options.allowsHalfClose = chance.hits(run.faults.isOn(.halfClose) ? 700 : 300)
        }
        if habits.has(.heartbeats) && chance.hits(300) {
            options.heartbeat = Heartbeat(
                category: WirePacket.heartbeat,
                interval: .milliseconds(max(length / 100, chance.pick(20, 300))),
                answers: chance.hits(700))
        }
        if habits.has(.death) && chance.hits(500) {
            options.deadAfter = chance.pick(.seconds(1), .seconds(3))
        }
        return options
    }

    private func drawSessionLimits() -> SessionLimits {
        var limits = SessionLimits()
        limits.maximumDataLength = chance.pick(64, 500, 5000, 20_000)
        limits.maximumQueuedBytes =
            habits.has(.tightOutput)
            ? chance.pick(100, 1000, 10_000) : chance.pick(1000, 10_000, 60_000)
        limits.outputHighWatermark = limits.maximumQueuedBytes / chance.pick(1, 2, 10)
        limits.outputLowWatermark = limits.outputHighWatermark / chance.pick(1, 2, 4, 1000)
        if isHeavy {
            limits.maximumDataLength = 20_000
            limits.maximumQueuedBytes = 200_000
            limits.outputHighWatermark = 100_000
        }
        if run.faults.isOn(.sentThrough) {
            limits.sentThroughLength = chance.pick(1, 50, 500, 5000)
        }
        if habits.has(.packetTimes) {
            limits.packetTimeout = chance.pick(nil, .milliseconds(20), .seconds(1))
        }
        limits.closeTimeout = chance.pick(
            .zero, .milliseconds(5), .milliseconds(100), .seconds(2), .seconds(2))
        limits.maximumOwedReplies = chance.pick(1, 2, 5, 1000)
        limits.reservedReplyLength = chance.pick(0, 50, 1000, 20_000)
        limits.maximumDiscardedBytes = chance.pick(0, 500, 1 << 20)
        limits.halfCloseTimeout = chance.pick(.milliseconds(10), .seconds(1))
        limits.maximumBytesBeforeTask = chance.pick(0, 200, 8192)
        return limits
    }

    /// Nothing listens, and nothing is connected to, once the reactor has come to its end.
    var mayBegin: Bool { reactor?.isFinished == false && !isStopping }

    func addServer() {
        guard let reactor, mayBegin else { return }
        var options = ServerOptions()
        options.session = drawSessionOptions()
        options.limits.backlog = chance.pick(1, 4, 100)
        options.limits.maximumAcceptsPerTurn = chance.pick(1, 2, 64)
        if run.faults.isOn(.capHit) {
            options.limits.maximumSessions = chance.pick(1, 2, 5)
            options.limits.maximumSessionsPerAddress = chance.pick(nil, 1, 2)
        }
        let index = servers.count
        var address = SocketAddress.ipv4(
            host: 0x0a00_0001, port: chance.pick(0, UInt16(9000 + index)))
        if chance.hits(300) { address = drawOtherAddress(index) ?? address }
        let server = try? reactor.listen(on: address, options: options) { [unowned self] session in
            begin(session, .accepted(servers[index]), options.session)
        }
        if let server { servers.append(ServerRecord(server, options)) }
    }

    /// Of another family than most: a name or a file, or IPv6.
    private func drawOtherAddress(_ index: Int) -> SocketAddress? {
        switch chance.below(3) {
        case 0: (try? UnixPath("@server\(index)")).map { .unix($0) }
        case 1: (try? UnixPath("/run/server\(index)")).map { .unix($0) }
        default:
            .ipv6(high: 0xfd00 << 48, low: 1, scope: 0, port: chance.pick(0, UInt16(9100 + index)))
        }
    }

    /// A session stands: from now on the oracle knows of it.
    func begin(_ session: Session, _ role: SessionRecord.Role, _ options: SessionOptions) {
        guard let end = kernel.table[session.descriptor.number]?.end else {
            return run.fail("session \(session.id) begins without a descriptor")
        }
        let record = SessionRecord(session, end, role, options, self)
        records.append(record)
        record.client?.current = record
        record.client?.last = record
        run.expect(
            end.phase != .connecting && end.phase != .fresh && end.other != nil,
            "session \(session.id) begins before its connection")
        if case .accepted(let server) = role {
            run.expect(!server.isStopped, "a server that has stopped begins a session")
            if rested.remove(server.server.address) != nil { run.met(.acceptedAfterRest) }
        }
        handler(.session, end.serial, of: record) { install(record) }
    }

    private func install(_ record: SessionRecord) {
        let session = record.session
        session.onClose { [unowned self, unowned record] _, reason in
            handler(.closed, record.end.serial) { record.closed(reason) }
        }
        session.onWritabilityChange { [unowned self, unowned record] _, isWritable in
            handler(.writability, record.end.serial, of: record) {
                record.called("the writability handler")
                record.told(isWritable: isWritable)
                if !isWritable { run.met(.capHit) }
                guard isWritable, record.fillsLeft > 0 else { return }
                if record.adversary == .onlyStreams || habits.has(.fills) && chance.hits(100) {
                    fill(record)
                }
            }
        }
        session.onPeerFinished { [unowned self, unowned record] _ in
            handler(.peerFinished, record.end.serial, of: record) {
                record.called("the handler of the peer's end")
                run.expect(record.end.endWasRead, "the peer has not ended its stream")
                run.met(.halfClose)
            }
        }
        session.onDrain { [unowned self, unowned record] _ in
            handler(.toldOfDrain, record.end.serial, of: record) {
                record.called("the handler of the drain")
                run.expect(!record.isDrained, "session \(record.id) was told of a drain twice")
                record.isDrained = true
                answerDrained(record)
                if chance.hits(300) { send(on: record) }
            }
        }
        drawReceiver(record)
        installReceiver(record)
        if record.receiver == .packets { drawTask(record) }
        if chance.hits(300) { send(on: record) }
        if record.adversary == .onlyStreams { fill(record) }
    }

    func receive(_ packet: borrowing Packet, _ record: SessionRecord) {
        let sequence = packet.sequence
        let category = packet.category
        let length = packet.data.byteCount
        var number: UInt64 = 0
        // First the oracle, then the answer, then whatever a handler does besides.
        packet.data.withUnsafeBytes {
            record.deliver(sequence, category, $0)
            number = Payload.number(of: $0) ?? 0
        }
        let isRequest = category == WirePacket.request && number & WirePacket.answerBit == 0
        let address = isRequest ? owe(packet, record) : nil
        handler(.packet, record.end.serial, of: record) {
            guard let address else {
                if chance.hits(200) { send(on: record) }
                return
            }
            if chance.hits(200) { return replies.append((address, record, number)) }
            if chance.hits(900) { reply(address, record, number, length: length) }
        }
    }

    /// Asks for a request's address, now and then twice.
    private func owe(_ packet: borrowing Packet, _ record: SessionRecord) -> ReplyAddress {
        let address = record.session.replyAddress(of: packet)
        if record.session.isOpen {
            let isNew = record.owed.insert(address).inserted
            run.expect(isNew, "two requests of session \(record.id) have the same address")
        }
        if chance.hits(100) {
            run.expect(
                record.session.replyAddress(of: packet) == address,
                "a request of session \(record.id) has two addresses")
        }
        return address
    }

    /// Answers a request by its address, which may be that of a session that is gone.
    func reply(_ address: ReplyAddress, _ record: SessionRecord, _ number: UInt64, length: Int) {
        let packet = WirePacket(
            sequence: address.sequence, category: address.category,
            number: number | WirePacket.answerBit, length: max(8, length))
        if chance.hits(50) { return refuse(address, record) }
        let isOwed = record.session.isOpen && record.owed.contains(address)
        // The last reply may close the session: what it took counts before that.
        let (bytes, isWritten) = (packet.data, packet.number.isMultiple(of: 2))
        record.isGiven(packet)
        record.stir()
        let outcome =
            isWritten
            ? reactor?.reply(to: address, capacity: bytes.count) { $0.write(bytes) }
            : reactor?.reply(to: address, data: bytes)
        switch outcome ?? .closed {
        case .queued:
            run.met(.repliedLater)
            if record.isDrained { run.met(.owedWasAnswered) }
            run.expect(isOwed, "session \(record.id) gave a reply that it did not owe")
            record.owed.remove(address)
            settle(.queued, packet, record)
        case .notOwed:
            run.expect(!record.owed.contains(address), "a reply that is owed was refused")
        case .closed: settle(.closed, packet, record)
        case .tooLarge: settle(.tooLarge, packet, record)
        case .overflow:
            run.expect(
                packet.length > record.options.limits.reservedReplyLength,
                "session \(record.id) had no room for a reply that it owed")
            settle(.overflow, packet, record)
        case .overCapacity: settle(.overCapacity, packet, record)
        case .interrupted: settle(.interrupted, packet, record)
        }
        // Some are answered twice.
        if outcome == .queued && chance.hits(100) {
            let again = reactor?.reply(to: address, data: packet.data)
            run.expect(!(again?.isQueued ?? false), "a request was answered twice")
        }
    }

    /// What a session owes that a drain has told is mostly answered soon.
    private func answerDrained(_ record: SessionRecord) {
        guard let reactor, !record.owed.isEmpty, chance.hits(800) else { return }
        reactor.schedule(after: .microseconds(chance.below(5000))) { [unowned self] in
            for index in replies.indices.reversed() where replies[index].record === record {
                let (address, _, number) = replies.remove(at: index)
                reply(address, record, number, length: chance.below(50))
            }
        }
    }

    private func refuse(_ address: ReplyAddress, _ record: SessionRecord) {
        record.stir()
        let isOwed = record.session.isOpen && record.owed.contains(address)
        let isRefused = reactor?.refuse(address) ?? false
        run.expect(isRefused == isOwed, "refusing an owed (\(isOwed)) reply says \(isRefused)")
        if isRefused { record.owed.remove(address) }
    }
}

// MARK: - Sending

extension World {
    /// Sends one packet, as a packet or as bytes.
    func send(on record: SessionRecord) {
        if chance.hits(150) { record.askWritable() }
        let most =
            isHeavy
            ? 12_000 : chance.pick(0, 30, 30, 400, record.options.limits.maximumDataLength + 1)
        let packet = WirePacket(
            sequence: chance.pick(-1, -1, Int32.min), category: WirePacket.plain,
            number: UInt64(run.nextSerial()), length: chance.below(most + 1))
        let isRaw = chance.hits(200) && packet.length <= record.options.limits.maximumDataLength
        record.isGiven(packet)
        settle(outcome(of: packet, isRaw: isRaw, on: record), packet, record)
    }

    /// Every other packet is written by a closure.
    private func outcome(
        of packet: WirePacket, isRaw: Bool, on record: SessionRecord
    ) -> SendOutcome {
        let (session, bytes, data) = (record.session, packet.wireBytes, packet.data)
        switch (isRaw, packet.number.isMultiple(of: 2)) {
        case (true, true): return session.send(bytes: bytes)
        case (true, false):
            return session.send(bytesCapacity: bytes.count) {
                $0.write(bytes)
                sendTooMuch(on: record)
            }
        case (false, true):
            return session.send(
                sequence: packet.sequence, category: packet.category, data: data)
        case (false, false):
            return session.send(
                sequence: packet.sequence, category: packet.category, capacity: data.count
            ) {
                sendTooMuch(on: record)
                $0.write(data)
            }
        }
    }

    /// Within a closure: what never fits is refused, and does not touch what the closure writes.
    private func sendTooMuch(on record: SessionRecord) {
        guard record.options.overflow == .refuse, chance.hits(200) else { return }
        let limits = record.options.limits
        let most = max(
            limits.maximumQueuedBytes, limits.maximumDataLength + PacketFormat.overhead)
        let outcome = record.session.send(bytes: [UInt8](repeating: 0, count: most + 1))
        run.expect(
            outcome == .overflow || outcome == .closed,
            "session \(record.id) says of too many bytes: \(outcome)")
    }

    func settle(_ outcome: SendOutcome, _ packet: WirePacket, _ record: SessionRecord) {
        let isTooLarge = packet.length > record.options.limits.maximumDataLength
        if outcome != .queued { record.refused(packet) }
        switch outcome {
        case .queued:
            run.expect(!record.isClosed, "session \(record.id), which is closed, took a packet")
            run.expect(!isTooLarge, "session \(record.id) took more data than a packet may have")
            run.expect(!record.closeCalled, "session \(record.id) took a packet after close()")
            record.took(packet)
        case .closed: break
        case .tooLarge:
            run.expect(isTooLarge, "session \(record.id) refused a packet for its size")
        case .overflow:
            run.met(.capHit)
            record.overflowed = true
            // The kernel had been offered all of it.
            run.expect(
                record.session.queuedBytes + packet.wireLength > record.mostQueued,
                "session \(record.id) refused \(packet.wireLength) bytes beside "
                    + "\(record.session.queuedBytes)")
        case .overCapacity, .interrupted:
            run.expect(false, "session \(record.id) refused as only a closure is refused")
        }
    }
}
