// What servers and their sessions do while a call fails: scenarios of the fault matrix.
import Glibc

@testable import Tron

/// A course of events that is the same in every run but for the fault.
struct FaultScenario: Sendable {
    let name: String
    /// How long it takes, in milliseconds.
    let end: Int
    let begin: @Sendable (FaultStage) -> Void

    func play(_ spot: FaultSpot?) -> FaultStage {
        let stage = FaultStage(spot)
        begin(stage)
        stage.run(until: end)
        return stage
    }

    static let all = servers + clients + loops

    private static let servers = [
        FaultScenario(name: "echo", end: 400, begin: echo),
        FaultScenario(name: "large packet in parts", end: 600, begin: largePacket),
        FaultScenario(name: "slow reader", end: 700, begin: slowReader),
        FaultScenario(name: "half close", end: 700, begin: halfClose),
        FaultScenario(name: "idle timeout", end: 400, begin: idleTimeout),
        FaultScenario(name: "close and abort", end: 700, begin: closeAndAbort),
        FaultScenario(name: "drain and stop", end: 400, begin: drainAndStop),
        FaultScenario(name: "drain of who waits", end: 400, begin: drainOfWhoWaits),
        FaultScenario(name: "drain of a Unix socket", end: 300, begin: drainOfUnixSocket),
        FaultScenario(name: "Unix socket file", end: 300, begin: unixSocket),
        FaultScenario(name: "raw bytes", end: 300, begin: rawBytes),
        FaultScenario(name: "silent peer", end: 1500, begin: silentPeer),
    ]
}

extension FaultScenario {
    private static func echo(_ stage: FaultStage) {
        stage.listen()
        var peer: Peer?
        stage.at(1) {
            peer = stage.connectPeer()
            peer?.send(wire("one") + wire("two"))
        }
        stage.at(2) { peer?.send(wire("three").dropLast(4)) }
        stage.at(3) { peer?.send(wire("three").suffix(4)) }
        stage.at(200) { peer?.finish() }
    }

    /// It is received into its own ring, across the ring's end, behind what was kept.
    private static func largePacket(_ stage: FaultStage) {
        var options = ServerOptions()
        options.session.limits.packetTimeout = .milliseconds(300)
        stage.listen(options: options)
        let bytes = wire(String(repeating: "large", count: 2000)) + wire("small")
        var peer: Peer?
        stage.at(1) { peer = stage.connectPeer() }
        for (part, start) in stride(from: 0, to: bytes.count, by: 1500).enumerated() {
            stage.at(100 + part) {
                peer?.drain()
                peer?.send(bytes[start..<min(start + 1500, bytes.count)])
            }
        }
        stage.at(120..<400) { peer?.drain() }
        stage.at(200) { peer?.finish() }
    }

    private static func slowReader(_ stage: FaultStage) {
        var options = ServerOptions()
        options.session.limits.outputHighWatermark = 8000
        options.session.limits.outputLowWatermark = 2000
        options.session.limits.maximumQueuedBytes = 64_000
        stage.listen(options: options)
        var peer: Peer?
        stage.at(1) { peer = stage.connectPeer() }
        for time in 2..<12 {
            stage.at(time) { peer?.send(wire(String(repeating: "slow", count: 400))) }
        }
        for time in 100..<120 { stage.at(time) { peer?.drain(atMost: 3000) } }
        stage.at(200) { peer?.finish() }
        stage.at(201..<600) { peer?.drain() }
    }

    private static func halfClose(_ stage: FaultStage) {
        var options = ServerOptions()
        options.session.allowsHalfClose = true
        options.session.limits.halfCloseTimeout = .milliseconds(300)
        stage.listen(options: options) { session, _ in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            session.onPeerFinished { session in
                session.send(category: 1, data: "after the end")
                session.closeWriting()
            }
        }
        stage.at(1) {
            let peer = stage.connectPeer()
            peer?.send(wire("before"))
            peer?.finish()
        }
        // Another one is paused when its peer goes: it leaves epoll and comes back.
        stage.at(100) { [weak stage] in
            let peer = stage?.connectPeer()
            stage?.at(2) { stage?.server?.forEachSession { $0.pauseReading() } }
            stage?.at(3) {
                peer?.send(wire("unread"))
                peer?.close()
            }
            stage?.at(5) { stage?.server?.forEachSession { $0.resumeReading() } }
        }
    }

    private static func idleTimeout(_ stage: FaultStage) {
        var options = ServerOptions()
        options.session.idle.read = .milliseconds(100)
        stage.listen(options: options)
        var peer: Peer?
        stage.at(1) {
            peer = stage.connectPeer()
            peer?.send(wire("busy"))
        }
    }

    /// One has output that waits, one is reset, one closes at once.
    private static func closeAndAbort(_ stage: FaultStage) {
        var options = ServerOptions()
        options.session.limits.closeTimeout = .milliseconds(300)
        stage.listen(options: options) { session, _ in
            session.onPacket { session, packet in
                switch packet.text {
                case "abort": session.abort()
                case "much":
                    session.send(category: 1, data: [UInt8](repeating: 7, count: 20_000))
                    session.close()
                default: session.close()
                }
            }
        }
        var peers: [Peer?] = []
        stage.at(1) {
            for word in ["close", "abort", "much"] {
                let peer = stage.connectPeer()
                peer?.send(wire(word))
                peers.append(peer)
            }
        }
        stage.at(100..<400) { peers.forEach { $0?.drain() } }
        stage.at(111) { peers.forEach { $0?.send(wire("late")) } }
        stage.at(112) { peers.forEach { $0?.finish() } }
    }

    /// A file that a killed server left behind is taken over.
    private static func unixSocket(_ stage: FaultStage) {
        let path = "/tmp/tron-matrix-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock"
        let stale = Kernel()
        if case .success(let address) = Result(catching: { try SocketAddress(path) }) {
            let number = Int32(stale.socket(family: AF_UNIX))
            _ = address.withRawAddress { stale.bind(number, $0, $1) }
            _ = stale.close(number)
        }
        stage.listen(on: path) { session, _ in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        var peer: Peer?
        stage.at(1) {
            peer = stage.connectPeer()
            peer?.send(wire("by file"))
        }
        stage.at(100) { peer?.finish() }
        stage.at(200) { stage.server?.stop() }
        stage.afterwards = { Glibc.unlink(path) }
    }

    /// Lines: what is not consumed is kept in front of what comes.
    private static func rawBytes(_ stage: FaultStage) {
        stage.listen { session, _ in
            session.onBytes { session, bytes in
                bytes.withUnsafeBytes { bytes in
                    guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return 0 }
                    session.send(bytes: Array(bytes[...end]))
                    return end + 1
                }
            }
        }
        var peer: Peer?
        stage.at(1) {
            peer = stage.connectPeer()
            peer?.send("one\ntwo\nthr".utf8)
        }
        stage.at(100) { peer?.send("ee\nfour\n".utf8) }
        stage.at(200) { peer?.finish() }
    }

    /// The kernel is asked what it knows of a peer that was not heard.
    private static func silentPeer(_ stage: FaultStage) {
        var options = ServerOptions()
        options.session.deadAfter = .seconds(1)
        stage.listen(options: options)
        var peer: Peer?
        stage.at(1) {
            peer = stage.connectPeer()
            peer?.send(wire("heard"))
        }
        stage.at(1300) { peer?.finish() }
    }
}
