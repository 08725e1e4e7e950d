// How bytes, and the ends of streams, come from one end of a connection to the other.
import Glibc
import Tron

extension Transport {
    /// Puts bytes into an end's outbox, as many as have room; how many that is.
    package func send(_ end: End, _ bytes: some Collection<UInt8>) -> Int {
        let taken = min(bytes.count, end.room)
        end.outbox.append(bytes.prefix(taken))
        deliverLater(end)
        return taken
    }

    package func endWriting(_ end: End) {
        end.writingEnded = true
        deliverLater(end)
    }

    /// Shuts a Unix socket down both ways: nothing is taken from the other end any more.
    package func shutDown(_ end: End) {
        end.isShutDown = true
        endWriting(end)
    }

    /// Takes bytes out of an end's inbox, which makes room for more.
    package func receive<Result>(
        _ end: End, _ count: Int, _ body: (ArraySlice<UInt8>) -> Result
    ) -> Result {
        let result = end.inbox.take(count, body)
        end.waitingSince = run.clock
        if let other = end.other { deliverLater(other) }
        return result
    }

    /// Has what is in the outbox, or the FIN behind it, brought to the other end.
    package func deliverLater(_ end: End) {
        guard !end.isDelivering, end.phase == .connected, let other = end.other else { return }
        let hasBytes = !end.outbox.isEmpty && (other.inboxRoom > 0 || other.isClosed)
        let hasFin = end.outbox.isEmpty && end.writingEnded && !end.finArrived
        guard hasBytes || hasFin else { return }
        end.isDelivering = true
        after(end.latency + links.latency(end.place, other.place)) { self.deliver(end) }
    }

    /// Whether nothing passes from an end to the other one.
    func isCut(_ end: End, _ other: End) -> Bool {
        end.hasVanished || other.hasVanished || links.isCut(end.place, other.place)
    }

    /// Bytes wait until the way is free, or the kernel gives the connection up.
    private func hold(_ end: End) {
        end.isDelivering = true
        held.append(end)
        let patience = end.keepalive.userTimeout ?? Keeping.retransmissionTime
        let since = run.clock
        end.heldSince = since
        after(patience) { if end.heldSince == since { self.timeOut(end) } }
    }

    /// The links have changed: what was held is on its way, and who hears nothing any more will
    /// notice, if it asks.
    package func linksChanged() {
        let waiting = held
        held = []
        for end in waiting {
            end.heldSince = nil
            end.isDelivering = false
            deliverLater(end)
        }
        linkChanges += 1
        let changes = linkChanges
        for end in ends where end.phase == .connected && !end.isClosed {
            guard let other = end.other, let time = end.keepalive.time, isCut(end, other) else {
                continue
            }
            after(time) {
                if self.linkChanges == changes && self.isCut(end, other) { self.timeOut(end) }
            }
        }
    }

    private func deliver(_ end: End) {
        end.isDelivering = false
        guard end.phase == .connected, let other = end.other else { return }
        if end.blockedUntil > run.clock {
            if !end.isBlockageMet { run.met(end.blockage) }
            end.isBlockageMet = true
            end.isDelivering = true
            return after(end.blockedUntil - run.clock) { self.deliver(end) }
        }
        if isCut(end, other) { return hold(end) }
        if other.isClosed && !end.outbox.isEmpty { return reset(end) }
        var most = min(end.outbox.count, other.inboxRoom)
        let rate = links.bytesPerSecond(end.place, other.place)
        if rate != nil { most = min(most, Links.segment) }
        var count = 0
        if most > 0 {
            count = run.chance.hits(700) ? most : run.chance.between(1, most)
            if other.inbox.isEmpty { other.waitingSince = run.clock }
            end.outbox.take(count) { other.inbox.append($0) }
            run.note(.arrives, other.serial, count)
            end.acknowledged += UInt64(count)
            end.lastAcknowledged = run.clock
        }
        if end.outbox.isEmpty && end.writingEnded && !end.finArrived {
            end.finArrived = true
            other.finReceived = true
            run.note(.finArrives, other.serial)
            if end.isUnix && (end.isClosed || end.isShutDown) { other.hangUp() }
            if other.isLibrary && !other.isClosed { run.met(.finish) }
        }
        if let rate, count > 0 {
            end.isDelivering = true
            after(Int64(count) * 1_000_000_000 / Int64(rate)) {
                end.isDelivering = false
                self.deliver(end)
            }
        } else if count < most {
            // The rest has come the same way, and does not go it again.
            end.isDelivering = true
            after(end.latency) { self.deliver(end) }
        } else {
            deliverLater(end)
        }
        other.changed()
        end.changed()
    }

    /// What TCP_INFO would tell: bytes are acknowledged when they arrive, and a closed window is
    /// probed in vain while the network is cut.
    package func progress(of end: End) -> SendProgress {
        var progress = SendProgress()
        progress.acknowledged = end.acknowledged
        let hasWindow = (end.other?.inboxRoom ?? 0) > 0
        let isCut = end.blockedUntil > run.clock || end.other.map { self.isCut(end, $0) } ?? false
        progress.segmentsInFlight = !end.outbox.isEmpty && (hasWindow || isCut) ? 1 : 0
        progress.unsentBytes = UInt32(end.outbox.count)
        progress.unansweredProbes = isCut && !hasWindow ? 2 : 0
        let since = isCut || hasWindow ? run.clock - end.lastAcknowledged : 0
        progress.millisecondsSinceAcknowledgement = UInt32(clamping: since / 1_000_000)
        return progress
    }

    /// An end is closed as close(2) does it: unread input or lingering zero make it a reset.
    package func close(_ end: End, resets: Bool) {
        guard !end.isClosed else { return }
        end.isClosed = true
        end.changed = {}
        guard end.phase == .connected, let other = end.other else { return }
        if resets || !end.inbox.isEmpty {
            end.outbox.removeAll()
            end.phase = .over
            after(end.latency) { if !self.isCut(end, other) { self.reset(other) } }
        } else {
            if end.finArrived && end.isUnix { after(end.latency) { self.hangUp(other) } }
            endWriting(end)
            // What the other end sends is answered with a reset, also what waits for room.
            deliverLater(other)
        }
    }

    private func hangUp(_ end: End) {
        guard end.phase == .connected else { return }
        end.hangUp()
        end.changed()
    }

    /// Nobody will ever have this end.
    package func abandon(_ end: End) { close(end, resets: true) }

    /// RST arrives at an end.
    package func reset(_ end: End) {
        guard end.phase == .connected else { return }
        end.breakOff(end.finReceived ? EPIPE : ECONNRESET, at: run.clock)
        run.note(.resetArrives, end.serial)
        if end.isLibrary && !end.isClosed { run.met(.reset) }
        end.changed()
    }

    /// The kernel gives the connection up: nothing was acknowledged for too long.
    package func timeOut(_ end: End) {
        guard end.phase == .connected, !end.isClosed else { return }
        end.breakOff(ETIMEDOUT, at: run.clock)
        end.changed()
    }

    /// Nothing passes for a while, from one of the ends or from both.
    package func partition(_ end: End, until time: Int64, bothWays: Bool) {
        let kind = bothWays ? Fault.partitionBothWays : .partitionOneWay
        for each in bothWays ? [end, end.other].compactMap(\.self) : [end] {
            each.blockedUntil = time
            each.blockage = kind
            each.isBlockageMet = false
        }
        run.note(.partition, end.serial, bothWays ? 2 : 1)
    }
}
