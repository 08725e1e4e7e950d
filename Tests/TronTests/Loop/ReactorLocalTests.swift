// What each reactor has for itself: replaced, dropped, and reached by what goes.
import Testing

@testable import Tron

@Suite struct ReactorLocalTests {
    /// Calls back when it is released.
    private final class Leaving {
        private let call: () -> Void

        init(_ call: @escaping () -> Void) { self.call = call }

        deinit { call() }
    }

    @Test func `each reactor has its own value, as long as it lives`() throws {
        final class Value {}
        let local = ReactorLocal<Value>()
        let other = ReactorLocal<Int>()
        let benches = [try Bench(), try Bench()]
        let first = Value()
        local[benches[0].reactor] = first
        other[benches[0].reactor] = 7
        #expect(local[benches[0].reactor] === first && local[benches[1].reactor] == nil)
        _ = try benches[0].connect()
        #expect(local[benches[0].sessions[0]] === first)
        other[benches[0].reactor] = nil
        #expect(other[benches[0].reactor] == nil && local[benches[0].reactor] === first)
        benches[0].reactor.finish()
        #expect(local[benches[0].reactor] == nil)
        // It is not kept beyond the end.
        local[benches[0].reactor] = first
        #expect(local[benches[0].reactor] == nil)
    }

    @Test func `a value may look for its successor as it goes`() throws {
        let reactor = try Reactor()
        let local = ReactorLocal<Leaving>()
        var found: [Bool] = []
        for _ in 0..<2 {
            local[reactor] = Leaving { found.append(local[reactor] != nil) }
        }
        #expect(found == [true])
        local[reactor] = nil
        #expect(found == [true, false])
    }

    @Test func `a reactor that ends lets go of its values, which find none then`() throws {
        let reactor = try Reactor()
        let local = ReactorLocal<Leaving>()
        var found: [Bool] = []
        local[reactor] = Leaving { [unowned reactor] in found.append(local[reactor] != nil) }
        reactor.stop()
        try reactor.run()
        #expect(found == [false])
        local[reactor] = Leaving {}
        #expect(local[reactor] == nil)
    }
}
