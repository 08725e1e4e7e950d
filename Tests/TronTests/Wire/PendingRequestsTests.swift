// PendingRequests against a naive model: order, the wrap, growth, the bound.
import Testing

@testable import Tron

@Suite struct PendingRequestsTests {
    private static func distance(_ from: Int32, _ to: Int32) -> Int { Int((to &- from) & .max) }

    @Test func `sequences begin at 0 and follow one another`() {
        let requests = PendingRequests<Int>(maximum: 1000)
        let sequences: [Int32] = (0..<1000).compactMap { requests.add($0) }
        #expect(sequences == Array(0..<1000))
        #expect(requests.checkInvariant(thoroughly: true))
    }

    @Test func `the bound refuses one more, until one ends`() {
        let requests = PendingRequests<String>(maximum: 2)
        #expect(requests.add("a") == 0 && requests.add("b") == 1)
        #expect(requests.add("c") == nil && requests.count == 2)
        #expect(requests.take(0) == "a")
        #expect(requests.add("c") == 2)
    }

    @Test func `a request ends once`() {
        let requests = PendingRequests<String>(maximum: 10)
        #expect(requests.add("a") == 0)
        #expect(requests.take(0) == "a")
        #expect(requests.take(0) == nil && requests.waiter(of: 0) == nil)
        #expect(requests.take(-1) == nil && requests.take(.max) == nil && requests.take(64) == nil)
    }

    @Test func `a waiter that is replaced keeps its sequence`() {
        let requests = PendingRequests<String>(maximum: 10)
        #expect(requests.add("a") == 0)
        requests.replace(0, with: "b")
        #expect(requests.count == 1 && requests.take(0) == "b")
    }

    @Test func `sequences wrap past the largest with requests pending across it`() {
        let first = Int32.max - 9
        let requests = PendingRequests<Int>(maximum: 1000, firstSequence: first)
        let given = (0..<300).compactMap { requests.add($0) }
        #expect(given.prefix(12) == (first ... .max) + [0, 1])
        #expect(given.allSatisfy { $0 >= 0 } && Set(given).count == 300)
        #expect(requests.sequences() == given)
        #expect(given.indices.shuffled().allSatisfy { requests.take(given[$0]) == $0 })
        #expect(requests.count == 0 && requests.checkInvariant(thoroughly: true))
    }

    @Test func `a sequence that still waits is skipped`() {
        let requests = PendingRequests<Int>(maximum: 100)
        #expect(requests.add(-1) == 0)
        var given: [Int32] = []
        for value in 0..<1000 {
            let sequence = requests.add(value) ?? -1
            given.append(sequence)
            #expect(requests.take(sequence) == value)
        }
        #expect(!given.contains(0) && Set(given).count == 1000)
        #expect(requests.take(0) == -1)
    }

    @Test func `which sequences were given out is known, also across the wrap`() {
        let requests = PendingRequests<Int>(maximum: 100, firstSequence: .max - 1)
        #expect(!requests.hasGivenOut(.max - 1) && !requests.hasGivenOut(0))
        #expect(!requests.hasGivenOut(-1) && !requests.hasGivenOut(.min))
        for value in 0..<4 { _ = requests.take(requests.add(value) ?? -1) }
        #expect([Int32.max - 1, .max, 0, 1].allSatisfy(requests.hasGivenOut))
        #expect([Int32.max - 2, 2, 3, -1, .min].allSatisfy { !requests.hasGivenOut($0) })
    }

    @Test func `once every sequence had its turn, all of them were given out`() {
        let requests = PendingRequests<Int>(
            maximum: 100, firstSequence: 5, givenOutBefore: .max - 2)
        #expect(requests.hasGivenOut(1) && !requests.hasGivenOut(2) && !requests.hasGivenOut(4))
        #expect((0..<3).map { requests.add($0) } == [2, 3, 4])
        #expect([0, 1, 2, 4, 5, .max].allSatisfy(requests.hasGivenOut))
        #expect(!requests.hasGivenOut(-1) && !requests.hasGivenOut(.min))
        #expect(requests.add(3) == 5 && requests.sequences() == [2, 3, 4, 5])
    }

    @Test func `a waiter that does not fulfil the condition goes on waiting`() {
        let requests = PendingRequests<String>(maximum: 10)
        #expect(requests.add("a") == 0)
        #expect(requests.take(0) { $0 == "b" } == nil && requests.waiter(of: 0) == "a")
        #expect(requests.take(0) { $0 == "a" } == "a" && requests.count == 0)
    }

    @Test func `a waiter can be made knowing its sequence, while there is room`() {
        let requests = PendingRequests<Int>(maximum: 200, firstSequence: .max - 1)
        for _ in 0..<200 {
            guard let sequence = requests.nextSequence() else {
                Issue.record("no room")
                return
            }
            requests.add(Int(sequence) * 3, as: sequence)
        }
        #expect(requests.sequences().allSatisfy { requests.waiter(of: $0) == Int($0) * 3 })
        #expect(requests.nextSequence() == nil && requests.count == 200)
    }

    @Test func `waiters that still wait are released with the table`() {
        final class Waiter {}
        weak var first: Waiter?
        weak var second: Waiter?
        do {
            // In the last slot and in the first one.
            let requests = PendingRequests<Waiter>(maximum: 10, firstSequence: 63)
            let waiters = [Waiter(), Waiter()]
            #expect(waiters.map { requests.add($0) } == [63, 64])
            (first, second) = (waiters[0], waiters[1])
        }
        #expect(first == nil && second == nil)
    }

    @Test func `one request may wait at least, and 2^30 at most`() async {
        #expect(PendingRequests<Int>(maximum: 1).add(7) == 0)
        #expect(PendingRequests<Int>(maximum: 1 << 30).add(7) == 0)
        await #expect(processExitsWith: .failure) { _ = PendingRequests<Int>(maximum: 0) }
        await #expect(processExitsWith: .failure) {
            _ = PendingRequests<Int>(maximum: (1 << 30) + 1)
        }
    }

    @Test func `only a waiter that waits can be replaced`() async {
        await #expect(processExitsWith: .failure) {
            PendingRequests<Int>(maximum: 1).replace(0, with: 1)
        }
    }

    @Test func `agrees with a naive model under random operations`() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let first = Int32.max - Int32(RandomRun.operations / 8 % 1_000_000)
        let maximum = 500
        let requests = PendingRequests<Int>(maximum: maximum, firstSequence: first)
        var model: [(sequence: Int32, value: Int)] = []
        var last = first &- 1
        var travelled = 0
        // Filled and emptied by turns, so that it is met in every state.
        var isFilling = true
        for operation in 0..<RandomRun.operations {
            if operation % 1500 == 0 { isFilling.toggle() }
            if Int.random(in: 0..<10, using: &generator) < (isFilling ? 7 : 3) {
                let sequence = requests.add(operation)
                #expect((sequence == nil) == (model.count == maximum))
                guard let sequence else { continue }
                // Later than all others, and never one that may be in use or remembered.
                travelled += Self.distance(last, sequence)
                #expect(sequence >= 0 && Self.distance(last, sequence) >= 1)
                last = sequence
                model.append((sequence, operation))
            } else if !model.isEmpty {
                let old = model.remove(at: .random(in: model.indices, using: &generator))
                #expect(requests.waiter(of: old.sequence) == old.value)
                #expect(requests.take(old.sequence) == old.value)
                #expect(requests.take(old.sequence) == nil)
            }
            #expect(requests.count == model.count)
            if operation % 997 == 0 {
                #expect(requests.sequences() == model.map(\.sequence))
                #expect(requests.checkInvariant(thoroughly: true))
            }
        }
        #expect(travelled < Int(Int32.max), "seed \(RandomRun.seed)")
    }
}
