// Requests whose connection turns out to have failed at the very moment when they are sent.
import Glibc
import Testing

@testable import Tron

@Suite struct RequestMeetsFailureTests {
    /// A client that offers each request to the kernel at once, which refuses the next one.
    private func bench() throws -> ClientBench {
        let bench = try ClientBench { $0.session.limits.sentThroughLength = 1 }
        let session = try #require(bench.client.session)
        let number = session.descriptor
        var isRefused = false
        bench.kernel.fault = { call, _, descriptor in
            guard call == .send, descriptor == number, !isRefused else { return nil }
            isRefused = true
            return .error(ECONNRESET)
        }
        return bench
    }

    @Test func `a request that finds its connection broken is told that it is lost`() throws {
        let bench = try bench()
        bench.ask("a", timeout: .seconds(60))
        try bench.turnUntilEnded()
        let reason = CloseReason.system(SystemError(.send, code: ECONNRESET))
        #expect(bench.log.outcomes == ["a": ["connection lost: \(reason)"]])
    }

    @Test func `one that may be repeated is sent again by the next connection`() throws {
        let bench = try bench()
        bench.ask("a", timeout: .seconds(60), isRepeatable: true)
        try bench.turnUntilEnded()
        #expect(bench.log.outcomes == ["a": ["re:a"]])
        #expect(bench.client.counters.connections == 2)
    }
}
