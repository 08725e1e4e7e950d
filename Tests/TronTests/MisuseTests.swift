// What is called on the wrong thread stops the program, and the message says what to do instead.
import Glibc
import Testing

@testable import Tron

@Suite struct MisuseTests {
    /// Runs `body` on another thread and waits for it.
    static func elsewhere(_ body: @escaping () -> Void) {
        final class Box {
            let body: () -> Void
            init(_ body: @escaping () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body)).toOpaque()
        pthread_create(
            &thread, nil,
            { raw in
                Unmanaged<Box>.fromOpaque(raw!).takeRetainedValue().body()
                return nil
            }, box)
        pthread_join(thread, nil)
    }

    private static func expectAdvice(_ bytes: [UInt8]?, names what: String) {
        let text = String(decoding: bytes ?? [], as: UTF8.self)
        #expect(text.contains(what) && text.contains("reactor.remote.submit"), "\(text)")
    }

    @Test func `sending from another thread traps and the message names submit`() async {
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let bench = try Bench()
            _ = try bench.connect()
            let session = bench.sessions[0]
            MisuseTests.elsewhere { session.send(category: 1, data: "x") }
        }
        Self.expectAdvice(result?.standardErrorContent, names: "Session.send")
    }

    @Test func `closing from another thread traps and the message names submit`() async {
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let bench = try Bench()
            _ = try bench.connect()
            let session = bench.sessions[0]
            MisuseTests.elsewhere { session.close() }
        }
        Self.expectAdvice(result?.standardErrorContent, names: "Session.close()")
    }

    @Test func `stopping or scheduling from another thread traps and the message names submit`()
        async
    {
        let stopping = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let reactor = try Reactor()
            MisuseTests.elsewhere { reactor.stop() }
        }
        Self.expectAdvice(stopping?.standardErrorContent, names: "Reactor.stop()")
        let scheduling = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let reactor = try Reactor()
            MisuseTests.elsewhere { reactor.schedule(after: .seconds(1)) {} }
        }
        Self.expectAdvice(scheduling?.standardErrorContent, names: "Reactor.schedule")
    }

    @Test func `running the loop from within its own handler traps`() async {
        await #expect(processExitsWith: .failure) {
            let reactor = try Reactor()
            reactor.schedule(after: .zero) { try? reactor.run() }
            try reactor.run()
        }
    }

    @Test func `a handler that claims to have consumed more than it was given traps`() async {
        await #expect(processExitsWith: .failure) {
            let bench = try Bench { session, _ in
                session.onBytes { _, bytes in bytes.byteCount + 1 }
            }
            let peer = try bench.connect()
            peer.send([1])
            try bench.reactor.turn(times: 3)
        }
    }

    @Test func `limits that contradict each other trap`() async {
        await #expect(processExitsWith: .failure) {
            var options = SessionOptions()
            options.limits.outputLowWatermark = options.limits.outputHighWatermark + 1
            _ = try Bench(session: options)
        }
    }

    @Test func `limits that let nothing through trap`() async {
        await #expect(processExitsWith: .failure) {
            var limits = ReactorLimits()
            limits.maximumBytesReadPerTurn = 0
            _ = try Reactor(limits: limits)
        }
    }

    @Test func `signals arrive on the loop in place of what they do by default`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let reactor = try Reactor()
            var seen: [Signal] = []
            try reactor.onSignal(.user1, .terminate) { signal in
                seen.append(signal)
                if signal == .user1 { pthread_kill(pthread_self(), SIGTERM) }
                if seen == [.user1, .terminate] { reactor.stop() }
            }
            reactor.schedule(after: .milliseconds(1)) { pthread_kill(pthread_self(), SIGUSR1) }
            try reactor.run()
            exit(seen == [.user1, .terminate] ? 7 : 1)
        }
    }
}
