// The network between ends: what arrives when, what is lost on the way, and who is connected.
import Glibc
import Tron

/// All connections of a run.
package final class Transport {
    package let run: Run
    package var agenda = Agenda()
    package private(set) var ends: [End] = []
    package private(set) var listeners: [Listener] = []
    package var links = Links()
    /// Files of Unix sockets, by their paths: the number of each.
    package var files: [String: UInt64] = [:]
    /// The places that have a name.
    package var places: [Place] = []
    /// What other names stand for, with port 0.
    package var names: [String: [SocketAddress]] = [:]
    /// Ends whose bytes cannot pass at present; they are brought on when that changes.
    var held: [End] = []
    var linkChanges = 0
    /// The buffers and the latency of a new end.
    package var shape: (Chance) -> EndShape = EndShape.init(drawnFrom:)
    /// Takes a connection at an address that is not the library's: true when somebody listens.
    package var acceptAfar: (End, SocketAddress) -> Bool = { _, _ in false }

    package init(run: Run) { self.run = run }

    package func after(_ delay: Int64, _ action: @escaping () -> Void) {
        agenda.add(run.clock + delay, action)
    }

    package func makeEnd(
        isLibrary: Bool, local: SocketAddress, at place: Place = .somewhere
    ) -> End {
        let end = End(
            serial: run.nextSerial(), isLibrary: isLibrary, local: local, place: place,
            shape: shape(run.chance))
        ends.append(end)
        return end
    }

    /// What a name stands for, with port 0; empty when nobody has it.
    func addresses(named name: String) -> [SocketAddress] {
        names[name] ?? address(named: name).map { [$0] } ?? []
    }

    func address(named name: String) -> SocketAddress? {
        if name == "localhost" { return .loopback(port: 0) }
        return places.first { $0.name == name }.map { .ipv4(host: $0.host, port: 0) }
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
        held = []
        listeners = []
    }

    /// Forgets what is over on both sides, but for those that somebody still refers to.
    package func forgetClosed() {
        ends.removeAll { end in
            let isOver = end.isClosed && (end.other?.isClosed ?? true)
            if isOver { end.other = nil }
            return isOver
        }
    }
}

// MARK: - Connecting

extension Transport {
    package func listen(_ listener: Listener) { listeners.append(listener) }

    /// Whether a listener has as many connections waiting as it may.
    package func isCrowded(_ address: SocketAddress) -> Bool {
        listeners.contains { $0.address == address && $0.queue.count >= $0.backlog }
    }

    /// Whether a listener has the address, which each place has for itself unless it is a loopback
    /// address or names a place; and does not share it.
    package func isBound(
        _ address: SocketAddress, at place: Place = .somewhere, sharing isShared: Bool = false
    ) -> Bool {
        listeners.contains {
            $0.address == address && ($0.place === place || !address.isEveryHost)
                && !(isShared && $0.reusesPort)
        }
    }

    /// Who listens at an address: under that very address, or under all addresses of the place that
    /// has it.
    private func listener(at address: SocketAddress) -> Listener? {
        let sharing = listeners.filter { $0.address == address && $0.reusesPort }
        if sharing.count > 1 { return run.chance.pick(from: sharing) }
        return listeners.first { $0.address == address }
            ?? listeners.first { listener in
                listener.address.isEveryHost && listener.address.port == address.port
                    && (address.isLoopback || listener.place.has(address))
            }
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
        guard let listener = listener(at: address) else {
            if !acceptAfar(end, address) { refuse(end) }
            return
        }
        if listener.refusesNew { return refuse(end) }
        if isFar(end, from: listener.place) {
            return after(links.latency(end.place, listener.place)) { self.knock(end, at: address) }
        }
        let isCut = links.isCut(end.place, listener.place)
        if listener.queue.count >= listener.backlog || listener.dropsNew || isCut {
            // The kernel drops the packet and the caller's sends another one later.
            run.met(.connectSlow)
            return after(1_000_000_000) { self.knock(end, at: address) }
        }
        let near = makeEnd(isLibrary: true, local: address, at: listener.place)
        near.keepalive = listener.keepalive
        near.remote = end.local
        establish(end, near)
        if listener.add(near, at: run.clock) { run.met(.burst) }
    }

    /// Whether the way to a place has still to be gone: the first packet takes its time, too.
    func isFar(_ end: End, from place: Place) -> Bool {
        defer { end.hasTravelled = true }
        return !end.hasTravelled && links.latency(end.place, place) > 0
    }

    package func establish(_ caller: End, _ called: End) {
        (caller.other, called.other) = (called, caller)
        (caller.phase, called.phase) = (.connected, .connected)
        run.note(
            .established, caller.serial, called.serial,
            "\(caller.place.name) with \(called.place.name)")
        caller.changed()
    }

    package func refuse(_ end: End) {
        guard !end.isClosed else { return }
        end.breakOff(ECONNREFUSED, at: run.clock)
        run.note(.refused, end.serial)
        if end.isLibrary { run.met(.connectRefused) }
        end.changed()
    }
}
