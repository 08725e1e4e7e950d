// How long a reactor says it has existed, beside the clock that its turns and timers use.
import Testing

@testable import Tron

@Suite struct UptimeTests {
    @Test func `the time a handler takes is seen within it`() throws {
        let bench = try Bench()
        let (reactor, kernel) = (bench.reactor, bench.kernel)
        var readings: [Duration] = []
        reactor.schedule(after: .milliseconds(20)) { [unowned reactor] in
            readings.append(reactor.uptime)
            kernel.advance(.microseconds(1500))
            readings.append(reactor.uptime)
        }
        #expect(reactor.uptime == .zero)
        try reactor.turn(until: { readings.count == 2 })
        #expect(readings == [.milliseconds(20), .microseconds(21_500)])
    }

    @Test func `a snapshot is taken at the uptime that it tells`() throws {
        let bench = try Bench()
        bench.kernel.advance(.seconds(40 * 86_400))
        #expect(bench.reactor.uptime == .seconds(40 * 86_400))
        #expect(bench.reactor.snapshot().time == bench.reactor.uptime)
    }

    @Test func `reading it on another thread traps and the message names submit`() async {
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let bench = try Bench()
            OtherThread.run { _ = bench.reactor.uptime }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("Reactor.uptime") && text.contains("reactor.remote.submit"))
    }
}
