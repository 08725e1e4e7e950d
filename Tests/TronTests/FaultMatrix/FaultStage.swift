// Where a scenario of the fault matrix plays: a reactor, its peers, and all that was told.
import Glibc

@testable import Tron

/// How a user learns of a fault.
enum FaultEffect: String, Comparable, CaseIterable {
    case reactorThrows = "Reactor() throws"
    case runThrows = "run() throws"
    case listenThrows = "listen throws"
    case staleFileStays = "the stale file stays: listen throws EADDRINUSE"
    case onSignalThrows = "onSignal throws"
    case sessionEnds = "the session ends"
    case dialFails = "the dial fails"
    case clientRetries = "the client tries again"
    case clientGivesUp = "the client gives up"
    case acceptPauses = "accepting pauses"
    case acceptFails = "counted as failed"
    case endsSooner = "a closing session ends at once"
    case comesLate = "done at the loop's next event"
    case unseen = "not seen"
    case differs = "otherwise"

    static func < (left: FaultEffect, right: FaultEffect) -> Bool {
        allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
    }
}

/// What a run told. Everything that is promised has to come about once.
final class FaultLedger {
    private(set) var promised: [String] = []
    private(set) var kept: [String: [String]] = [:]
    private(set) var told: [(effect: FaultEffect, error: SystemError)] = []
    /// What each plain peer received.
    var streams: [String: [UInt8]] = [:]

    func promise(_ name: String) { promised.append(name) }

    /// What the run's end made impossible.
    func withdraw(_ name: String) { promised.removeAll { $0 == name } }

    func keep(_ name: String, _ how: String) { kept[name, default: []].append(how) }

    func tell(_ effect: FaultEffect, _ error: SystemError?) {
        if let error { told.append((effect, error)) }
    }

    /// The whole of it, but for the order in which things of different names happened.
    var story: [String] {
        kept.map { "\($0): \($1.joined(separator: ", "))" }.sorted()
            + streams.sorted { $0.key < $1.key }.map { "\($0): \($1.count) bytes" }
    }

    /// What was promised and not kept, or kept in another number.
    var brokenPromises: [String] {
        Set(promised).union(kept.keys).sorted().filter { name in
            promised.count { $0 == name } != 1 || kept[name]?.count != 1
        }
    }
}

extension CloseReason {
    /// In words. Whether the first read or the first write after a reset meets it is chance.
    var words: String {
        guard case .system(let error) = self else { return description }
        return [ECONNRESET, EPIPE].contains(error.code) ? "reset by the peer" : description
    }
}

/// One run of a scenario.
final class FaultStage {
    let kernel: MatrixKernel
    let ledger = FaultLedger()
    private(set) var reactor: Reactor?
    var server: Server?
    var client: Client?
    private(set) var counters = ServerCounters()
    private(set) var leftovers: [String] = []
    /// Called when all has ended.
    var afterwards: () -> Void = {}
    private var peers: [(name: String, peer: Peer)] = []

    init(_ spot: FaultSpot?) {
        kernel = MatrixKernel(spot)
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn = 4096
        limits.maximumIdleBufferBytes = 1 << 16
        do throws(SystemError) {
            reactor = try Reactor(limits: limits, kernel: kernel)
        } catch {
            ledger.tell(.reactorThrows, error)
        }
        if let remote = reactor?.remote { kernel.giveUp = { remote.stop() } }
    }

    /// Listens, and notes how each session ends.
    func listen(
        on address: String = "127.0.0.1:0", options: ServerOptions = ServerOptions(),
        setup: @escaping (Session, String) -> Void
    ) {
        guard let reactor, let address = try? SocketAddress(address) else { return }
        let ledger = ledger
        var count = 0
        do throws(EndpointError) {
            server = try reactor.listen(on: address, options: options) { session in
                count += 1
                let name = "session \(count)"
                Self.note(session, name, in: ledger)
                setup(session, name)
            }
        } catch {
            ledger.tell(.listenThrows, error.cause)
        }
    }

    /// An echo.
    func listen(options: ServerOptions = ServerOptions()) {
        listen(options: options) { session, _ in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
    }

    static func note(_ session: Session, _ name: String, in ledger: FaultLedger) {
        ledger.promise(name)
        session.onClose { _, reason in
            ledger.keep(name, reason.words)
            if case .system(let error) = reason { ledger.tell(.sessionEnds, error) }
        }
    }

    /// Does something at a time, in milliseconds from the beginning.
    func at(_ milliseconds: Int, _ action: @escaping () -> Void) {
        reactor?.schedule(after: .milliseconds(milliseconds), action)
    }

    /// Does something again and again, every five milliseconds.
    func at(_ times: Range<Int>, _ action: @escaping () -> Void) {
        for time in stride(from: times.lowerBound, to: times.upperBound, by: 5) { at(time, action) }
    }

    /// Connects a plain peer to the server, unless there is none.
    func connectPeer() -> Peer? {
        guard let server, let peer = try? Peer(to: kernel.reachable(server.address)) else {
            return nil
        }
        peers.append(("peer \(peers.count + 1)", peer))
        return peer
    }

    /// Runs until a time in milliseconds, then ends everything and looks what is left.
    func run(until end: Int) {
        at(end) { [reactor] in reactor?.stop() }
        do throws(SystemError) {
            try reactor?.run()
        } catch {
            ledger.tell(.runThrows, error)
        }
        counters = server?.counters ?? counters
        for (name, peer) in peers {
            peer.drain()
            ledger.streams[name] = peer.received
            peer.close()
        }
        if let registry = reactor?.registry {
            if registry.sources.count > 0 { leftovers.append("\(registry.sources.count) sources") }
            if registry.wheel.count > 0 { leftovers.append("\(registry.wheel.count) timers") }
            if !registry.buffers.checkInvariant() { leftovers.append("buffers") }
        }
        server = nil
        client = nil
        reactor = nil
        kernel.giveUp = {}
        afterwards()
        afterwards = {}
    }
}
