// Sessions whose output goes to sinks: peers that read at once, whatever the machine does.
import Testing

@testable import Tron

/// A bench whose output goes to a sink. It keeps its peers.
final class SinkBench {
    let kernel = FaultyKernel()
    let sink = Sink()
    let bench: Bench
    private(set) var peers: [Peer] = []

    var reactor: Reactor { bench.reactor }
    var session: Session { bench.sessions[0] }
    var reasons: [CloseReason] { bench.reasons }
    var notes: [String] { bench.log.notes }

    /// Marks that few packets reach.
    static var options: SessionOptions {
        var options = SessionOptions()
        options.limits.maximumDataLength = 4096
        options.limits.outputHighWatermark = 64 << 10
        options.limits.outputLowWatermark = 16 << 10
        return options
    }

    /// With one session, which stands.
    init(
        _ options: SessionOptions = SinkBench.options,
        setup: @escaping (Session, Log) -> Void = { _, _ in }
    ) throws {
        kernel.sink = sink
        bench = try Bench(session: options, kernel: kernel, setup: setup)
        try connect()
    }

    @discardableResult
    func connect() throws -> Peer {
        let peer = try bench.connect()
        peers.append(peer)
        return peer
    }

    /// Bytes that the sink of a session took.
    func taken(_ index: Int = 0) -> Int { sink.takenCount[kernel.accepted[index]] ?? 0 }

    /// How often something was sent to the sink of a session.
    func sends(_ index: Int = 0) -> Int { sink.sends[kernel.accepted[index]] ?? 0 }

    /// The packets that the sink of a session took.
    func packets(_ index: Int = 0) -> [OwnedPacket] { sink.packets(kernel.accepted[index]) }

    /// Runs `work` on the first session within the next turn, before its output phase.
    func within(_ work: @escaping (Session) -> Void) throws {
        let session = session
        reactor.schedule(after: .zero) { work(session) }
        kernel.advance(.milliseconds(1))
        try reactor.turn()
    }
}
