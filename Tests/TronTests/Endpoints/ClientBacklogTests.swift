// A client's backlog leaves turn by turn, and the others have their share in between.
import Glibc
import Testing

@testable import Tron

@Suite struct ClientBacklogTests {
    private static let requests = 1024
    private static let mark = 64 << 10

    /// A packet may go beyond the mark.
    @Test(arguments: [1 << 10, 16 << 10, 64 << 10])
    func `a backlog leaves at most a high mark's worth a turn, and others make progress`(
        size: Int
    ) throws {
        // What is sent in pieces of a kilobyte and more is taken at once, and counted by turn; what
        // is smaller goes its usual way.
        let (kernel, sink) = (FaultyKernel(), Sink())
        var swallowed: [Int: Int] = [:]
        kernel.sink = sink
        sink.keepsBytes = false
        sink.takes = { $1 >= 1000 }
        sink.onTake = { [unowned kernel] in swallowed[kernel.waits, default: 0] += $0 }
        let reactor = try Reactor(kernel: kernel)
        var options = ClientOptions()
        options.session.limits.maximumDataLength = size
        options.session.limits.outputHighWatermark = Self.mark
        options.session.limits.outputLowWatermark = Self.mark / 4
        options.maximumCopiedRequests = Self.requests
        let name = Bench.unixName()
        let client = reactor.makeClient(
            to: name, reconnecting: Backoff(initial: .seconds(1), multiplier: 1), options: options)
        for _ in 0..<Self.requests {
            client.request(
                category: 1, data: [UInt8](repeating: 7, count: size), timeout: .seconds(1000)
            ) { _ in }
        }
        try reactor.turn(until: { client.state.isWaiting })
        try reactor.listen(on: name) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        let other = try Peer(to: SocketAddress(name))
        let answers = try exchange(over: other, reactor, kernel, sink) {
            sink.total >= Self.requests * (size + 11)
        }
        // An exchange takes two turns or three: one fits into every four portions of the backlog.
        let most = swallowed.values.max() ?? 0
        #expect(sink.total == Self.requests * (size + 11))
        #expect(most <= Self.mark + size + 11, "\(most) bytes in one turn")
        #expect(answers >= sink.total / (Self.mark + size + 11) / 4, "\(answers) answers")
    }

    /// Takes turns until the end, in which a peer always asks anew when it has been answered; how
    /// many answers it had between the backlog's first bytes and its last.
    private func exchange(
        over peer: Peer, _ reactor: Reactor, _ kernel: FaultyKernel, _ sink: Sink,
        until isOver: () -> Bool
    ) throws -> Int {
        let question = wire("question")
        var asked = 0
        var before = 0
        for _ in 0..<20_000 where !isOver() {
            let answers = peer.drained.received.count / question.count
            if answers == asked {
                peer.send(question)
                asked += 1
            }
            if sink.total == 0 { before = answers }
            // The peer leaves no rest in which time would pass by itself.
            kernel.advance(.milliseconds(10))
            try reactor.turn()
        }
        #expect(isOver())
        return peer.drained.received.count / question.count - before
    }
}
