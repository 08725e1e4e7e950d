// The servers and sessions of a run: how they are set up, and what their handlers do.

import TronTestKit

@testable import Tron

extension World {
    /// Nothing listens, and nothing is connected to, once the reactor has come to its end.
    var mayBegin: Bool { reactor?.isFinished == false && !isStopping }

    func addServer() {
        guard let reactor, mayBegin else { return }
        var options = ServerOptions()
        options.session = drawSessionOptions()
        options.limits.backlog = chance.pick(1, 4, 100)
        options.limits.maximumAcceptsPerTurn = chance.pick(1, 2, 64)
        if habits.has(.rates) && chance.hits(400) {
            options.limits.maximumAcceptRate = RateLimit(
                perSecond: chance.pick(50, 500), burst: chance.pick(1, 3))
        }
        if run.faults.isOn(.capHit) {
            options.limits.maximumSessions = chance.pick(1, 2, 5)
            options.limits.maximumSessionsPerAddress = chance.pick(nil, 1, 2)
        }
        let index = servers.count
        var address = SocketAddress.ipv4(
            host: 0x0a00_0001, port: chance.pick(0, UInt16(9000 + index)))
        if chance.hits(300) { address = drawOtherAddress(index) ?? address }
        drawProxies(&options, address)
        let server = try? reactor.listen(on: address, options: options) { [unowned self] session in
            begin(session, .accepted(servers[index]), options.session)
        }
        guard let server else { return }
        let record = ServerRecord(server, options)
        record.rate = options.limits.maximumAcceptRate.map { RateRule($0, from: run.turnStart) }
        servers.append(record)
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
        guard let end = kernel.table[session.descriptor]?.end else {
            return run.fail("session \(session.id) begins without a descriptor")
        }
        let record = SessionRecord(session, end, role, options, self)
        records.append(record)
        record.client?.current = record
        record.client?.last = record
        if !end.local.isUnix && end.remote?.isUnix != true {
            run.expect(
                end.keepalive.sendsAtOnce == options.noDelay
                    && end.keepalive.userTimeout == options.userTimeout?.clampedNanoseconds,
                "session \(session.id) has other options than were asked for")
        }
        run.expect(
            end.phase != .connecting && end.phase != .fresh && end.other != nil,
            "session \(session.id) begins before its connection")
        if case .accepted(let server) = role {
            run.expect(!server.isStopped, "a server that has stopped begins a session")
            Origins.judge(
                session, end, server.options, run, isUnix: server.server.address.isUnix)
            run.expect(
                server.rate == nil || server.rate?.allowsOneMore(at: run.turnStart) == true,
                "a server accepts more connections than its rate allows")
            if rested.remove(server.server.address) != nil { run.met(.acceptedAfterRest) }
        }
        record.isBeginning = true
        handler(.session, end.serial, of: record) { install(record) }
        record.isBeginning = false
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
        session.onProtocolFault { [unowned self, unowned record] _, fault in
            handler(.faultTold, record.end.serial, of: record) {
                record.called("the handler of faults")
                run.expect(record.toldFault == nil, "session \(record.id) told of two faults")
                record.toldFault = fault
                if chance.hits(300) { send(on: record) }
            }
        }
        session.onDrain { [unowned self, unowned record] _ in
            handler(.toldOfDrain, record.end.serial, of: record) {
                record.called("the handler of the drain")
                run.expect(!record.isDrained, "session \(record.id) was told of a drain twice")
                record.isDrained = true
                let isOpen = record.session.isOpen
                if chance.hits(200) { answerOwed(by: record) } else { answerDrained(record) }
                run.expect(
                    record.session.isOpen == isOpen || record.overflowed || record.mustEnd,
                    "session \(record.id) closes before its goodbye")
                if chance.hits(300) { send(on: record) }
            }
        }
        drawReceiver(record)
        installReceiver(record)
        if record.receiver == .packets { drawTask(record) }
        if chance.hits(300) { send(on: record) }
        if record.adversary == .onlyStreams { fill(record) }
    }
}
