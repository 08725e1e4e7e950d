// A farewell that another thread finishes.
import Testing

@testable import Tron

@Suite struct FarewellTaskTests {
    @Test func `a farewell may finish on another thread, and more than once`() async throws {
        let loop = try ReactorThread { reactor in
            reactor.onDrained { _, finish in
                Task {
                    finish()
                    finish()
                }
            }
        }
        _ = await loop.remote.drain(within: .seconds(60))
        await loop.awaitEnd()
    }
}
