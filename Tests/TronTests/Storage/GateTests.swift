// The gate: at most so many holders, first come first served, nobody forgotten.
import Testing

@testable import Tron

@Suite struct GateTests {
    private func key(_ number: UInt64) -> SlabKey { SlabKey(rawValue: number) }

    @Test func `as many enter as the limit says, the others wait`() {
        let gate = Gate(limit: 2)
        #expect(gate.enter(key(1)) && gate.enter(key(2)))
        #expect(!gate.enter(key(3)) && !gate.enter(key(4)))
    }

    @Test func `those that wait are named in the order they came`() {
        let gate = Gate(limit: 1)
        #expect(gate.enter(key(0)))
        for number in 1..<500 { #expect(!gate.enter(key(UInt64(number)))) }
        for number in 1..<500 { #expect(gate.leave() == key(UInt64(number))) }
        #expect(gate.leave() == nil)
        #expect(gate.enter(key(7)), "the last place was not given back")
    }

    @Test func `a place that a stale waiter is given can be passed on`() {
        let gate = Gate(limit: 1)
        #expect(gate.enter(key(1)))
        #expect(!gate.enter(key(2)) && !gate.enter(key(3)))
        // 1 leaves, but 2 is gone: its place goes to 3, and then to nobody.
        #expect(gate.leave() == key(2))
        #expect(gate.leave() == key(3))
        #expect(!gate.enter(key(4)), "3 is within")
        #expect(gate.leave() == key(4))
        #expect(gate.leave() == nil)
        #expect(gate.enter(key(5)))
    }

    @Test func `never more than the limit are within, and nobody waits while there is room`() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let gate = Gate(limit: 5)
        var within: Set<UInt64> = []
        var waiting: [UInt64] = []
        for number in 0..<UInt64(min(RandomRun.operations, 50_000)) {
            if Bool.random(using: &generator) {
                let entered = gate.enter(key(number))
                #expect(entered == (within.count < 5))
                if entered { within.insert(number) } else { waiting.append(number) }
            } else if let one = within.randomElement(using: &generator) {
                within.remove(one)
                let next = gate.leave()
                #expect(next == waiting.first.map(key))
                if next != nil { within.insert(waiting.removeFirst()) }
            }
        }
    }
}
