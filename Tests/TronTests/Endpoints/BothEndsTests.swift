// Two ends of this library that both send more than is read at once: neither waits for ever.
import Glibc
import Testing

@testable import Tron

@Suite struct BothEndsTests {
    private static let packets = 400

    /// Sends all of it at once, more than the high watermark and the kernel together hold.
    private static func flood(_ session: Session) {
        let data = [UInt8](repeating: 7, count: 20_000)
        for number in 0..<packets {
            #expect(session.send(sequence: Int32(number), category: 1, data: data) == .queued)
        }
    }

    private static func options(_ options: SessionOptions) -> SessionOptions {
        var options = options
        options.limits.maximumQueuedBytes = 32 << 20
        return options
    }

    @Test(arguments: [Bench.Transport.unix, .ipv4])
    func `two ends that both stop reading above their high watermark get everything`(
        transport: Bench.Transport
    ) throws {
        let kernel = FaultyKernel()
        kernel.sendBuffer = 64 << 10
        var received = [0, 0]
        let bench = try Bench(
            transport, session: Self.options(SessionOptions()), kernel: kernel
        ) { session, _ in
            session.onPacket { _, _ in received[0] += 1 }
            Self.flood(session)
        }
        var client = ClientOptions()
        client.session = Self.options(client.session)
        bench.reactor.makeClient(to: [bench.server.address], options: client) { session in
            session.onPacket { _, _ in received[1] += 1 }
            Self.flood(session)
        }
        kernel.isFrozen = true
        try bench.reactor.turn(
            until: { received == [Self.packets, Self.packets] }, atMost: 20_000)
        #expect(bench.reasons == [])
    }
}
