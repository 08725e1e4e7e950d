// A client's backlog leaves turn by turn, and the others have their share in between.
import Glibc
import Testing

@testable import Tron

/// A kernel that takes whatever is sent in pieces of a kilobyte and more, and counts it by turn;
/// what is smaller goes its usual way.
private final class SwallowingKernel: FaultyKernel, @unchecked Sendable {
    /// Bytes that were swallowed, by the number of the wait before.
    private(set) var swallowed: [Int: Int] = [:]

    var total: Int { swallowed.values.reduce(0, +) }

    private func swallow(_ count: Int) -> Int {
        swallowed[waits, default: 0] += count
        return count
    }

    override func send(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        count < 1000 ? super.send(number, bytes, count) : swallow(count)
    }

    override func send(
        _ number: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        _ third: UnsafeRawBufferPointer
    ) -> Int {
        let count = first.count + second.count + third.count
        return count < 1000 ? super.send(number, first, second, third) : swallow(count)
    }
}

@Suite struct ClientBacklogTests {
    private static let requests = 1024
    private static let mark = 64 << 10

    /// A packet may go beyond the mark.
    @Test(arguments: [1 << 10, 16 << 10, 64 << 10])
    func `a backlog leaves at most a high mark's worth a turn, and others make progress`(
        size: Int
    ) throws {
        let kernel = SwallowingKernel()
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
        let answers = try exchange(over: other, reactor, kernel) {
            kernel.total >= Self.requests * (size + 11)
        }
        // An exchange takes two turns or three: one fits into every four portions of the backlog.
        let most = kernel.swallowed.values.max() ?? 0
        #expect(kernel.total == Self.requests * (size + 11))
        #expect(most <= Self.mark + size + 11, "\(most) bytes in one turn")
        #expect(answers >= kernel.total / (Self.mark + size + 11) / 4, "\(answers) answers")
    }

    /// Takes turns until the end, in which a peer always asks anew when it has been answered; how
    /// many answers it had between the backlog's first bytes and its last.
    private func exchange(
        over peer: Peer, _ reactor: Reactor, _ kernel: SwallowingKernel, until isOver: () -> Bool
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
            if kernel.total == 0 { before = answers }
            // The peer leaves no rest in which time would pass by itself.
            kernel.advance(.milliseconds(10))
            try reactor.turn()
        }
        #expect(isOver())
        return peer.drained.received.count / question.count - before
    }
}
