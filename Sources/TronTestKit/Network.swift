// The network between ends: what arrives when, what is lost on the way, and who is connected.
import Glibc
import Tron

/// What is to happen, by time; at the same time in the order of planning.
package struct Agenda {
    private var heap: [(time: Int64, serial: Int, action: () -> Void)] = []
    private var serial = 0

    package var nextTime: Int64? { heap.first?.time }

    package mutating func add(_ time: Int64, _ action: @escaping () -> Void) {
        serial += 1
        heap.append((time, serial, action))
        var child = heap.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The next action that is due.
    package mutating func take(until time: Int64) -> (() -> Void)? {
        guard let first = heap.first, first.time <= time else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if isBefore(child, least) { least = child }
            }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
        return first.action
    }

    package mutating func removeAll() { heap = [] }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (heap[left].time, heap[left].serial) < (heap[right].time, heap[right].serial)
    }
}

/// All connections of a run.
package final class Network {
    package let run: Run
    package var agenda = Agenda()
    package private(set) var ends: [End] = []
    package private(set) var listeners: [Listener] = []
    /// Takes a connection at an address that is not the library's: true when somebody listens.
    package var acceptAfar: (End, SocketAddress) -> Bool = { _, _ in false }

    package init(run: Run) { self.run = run }

    package func after(_ delay: Int64, _ action: @escaping () -> Void) {
        agenda.add(run.clock + delay, action)
    }

    package func makeEnd(isLibrary: Bool, local: SocketAddress) -> End {
        let end = End(run: run, isLibrary: isLibrary, local: local)
        ends.append(end)
        return end
    }

    /// Ends the run: nothing refers to anything any more.
    package func dissolve() {
        agenda.removeAll()
        acceptAfar = { _, _ in false }
        for end in ends {
            end.other = nil
            end.changed = {}
        }
        ends = []
        listeners = []
    }
}

// MARK: - Connecting

extension Network {
    package func listen(_ listener: Listener) { listeners.append(listener) }

    /// Whether a listener has as many connections waiting as it may.
    package func isCrowded(_ address: SocketAddress) -> Bool {
        listeners.contains { $0.address == address && $0.queue.count >= $0.backlog }
    }

    package func isBound(_ address: SocketAddress) -> Bool {
        listeners.contains { $0.address == address }
    }

    /// The listener's socket is closed: what nobody accepted is reset.
    package func stop(_ listener: Listener) {
        listeners.removeAll { $0 === listener }
        for end in listener.queue { abandon(end) }
        listener.queue = []
    }

    /// The handshake's first packet arrives at `address`: decides what becomes of the attempt.
    package func knock(_ end: End, at address: SocketAddress) {
        guard !end.isClosed, end.phase == .connecting else { return }
        guard let listener = listeners.first(where: { $0.address == address }) else {
            if !acceptAfar(end, address) { refuse(end) }
            return
        }
        if listener.queue.count >= listener.backlog {
            // The kernel drops the packet and the caller's sends another one later.
            run.met(.connectSlow)
            return after(1_000_000_000) { self.knock(end, at: address) }
        }
        let near = makeEnd(isLibrary: true, local: address)
        near.remote = end.local
        establish(end, near)
        if listener.add(near, at: run.clock) { run.met(.burst) }
    }

    package func establish(_ caller: End, _ called: End) {
        (caller.other, called.other) = (called, caller)
        (caller.phase, called.phase) = (.connected, .connected)
        run.note(.established, caller.serial, called.serial)
        caller.changed()
    }

    package func refuse(_ end: End) {
        guard !end.isClosed else { return }
        end.breakOff(ECONNREFUSED)
        run.note(.refused, end.serial)
        if end.isLibrary { run.met(.connectRefused) }
        end.changed()
    }
}

// MARK: - Bytes

extension Network {
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

    /// Takes bytes out of an end's inbox, which makes room for more.
    package func receive<Result>(
        _ end: End, _ count: Int, _ body: (ArraySlice<UInt8>) -> Result
    ) -> Result {
        let result = end.inbox.take(count, body)
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
        after(end.latency) { self.deliver(end) }
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
        if other.isClosed && !end.outbox.isEmpty { return reset(end) }
        let most = min(end.outbox.count, other.inboxRoom)
        if most > 0 {
            let count = run.chance.hits(700) ? most : run.chance.between(1, most)
            end.outbox.take(count) { other.inbox.append($0) }
            run.note(.arrives, other.serial, count)
            end.acknowledged += UInt64(count)
            end.lastAcknowledged = run.clock
        }
        if end.outbox.isEmpty && end.writingEnded && !end.finArrived {
            end.finArrived = true
            other.finReceived = true
            run.note(.finArrives, other.serial)
            if other.isLibrary && !other.isClosed { run.met(.finish) }
        }
        deliverLater(end)
        other.changed()
        end.changed()
    }

    /// What TCP_INFO would tell: bytes are acknowledged when they arrive, and a closed window is
    /// probed in vain while the network is cut.
    package func progress(of end: End) -> SendProgress {
        var progress = SendProgress()
        progress.acknowledged = end.acknowledged
        let hasWindow = (end.other?.inboxRoom ?? 0) > 0
        let isCut = end.blockedUntil > run.clock
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
            after(end.latency) { self.reset(other) }
        } else {
            endWriting(end)
            // What the other end sends is answered with a reset, also what waits for room.
            deliverLater(other)
        }
    }

    /// Nobody will ever have this end.
    package func abandon(_ end: End) { close(end, resets: true) }

    /// RST arrives at an end.
    package func reset(_ end: End) {
        guard end.phase == .connected else { return }
        end.breakOff(end.finReceived ? EPIPE : ECONNRESET)
        run.note(.resetArrives, end.serial)
        if end.isLibrary && !end.isClosed { run.met(.reset) }
        end.changed()
    }

    /// The kernel gives the connection up: nothing was acknowledged for too long.
    package func timeOut(_ end: End) {
        guard end.phase == .connected, !end.isClosed else { return }
        end.breakOff(ETIMEDOUT)
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
