// Fuzzes the table of pending requests: any order of its operations, against an array.

/// An input is the bound, where sequences begin, and then an operation in a byte or two each.
enum PendingRequestsFuzzer {
    static func run(_ input: UnsafeRawBufferPointer) {
        Waiter.alive = 0
        var choices = Choices(input)
        withExtendedLifetime(RequestsRun(&choices)) { run in
            while !choices.isEmpty { run.perform(&choices) }
            run.finish()
        }
        require(Waiter.alive == 0, "\(Waiter.alive) waiters were not released")
    }
}

private final class Waiter {
    nonisolated(unsafe) static var alive = 0
    let number: Int

    init(_ number: Int) {
        self.number = number
        Waiter.alive += 1
    }

    deinit { Waiter.alive -= 1 }
}

private final class RequestsRun {
    private let requests: PendingRequests<Waiter>
    private let maximum: Int
    private let first: Int32
    /// How many sequences have had their turn, those before the run included.
    private var turns: Int
    private var pending: [(sequence: Int32, number: Int)] = []
    private var numbers = 0

    init(_ choices: inout Choices) {
        maximum = 1 + choices.number(below: 400)
        let distance = Int32(choices.number(below: 300))
        first = choices.byte() % 2 == 0 ? distance : .max - distance
        let before = choices.byte() % 2 == 0 ? 0 : .max - Int32(choices.number(below: 300))
        turns = Int(before)
        requests = PendingRequests(maximum: maximum, firstSequence: first, givenOutBefore: before)
    }

    func perform(_ choices: inout Choices) {
        let operation = choices.byte()
        switch operation % 8 {
        case 0, 1: add()
        case 2: for _ in 0...operation / 4 { add() }
        case 3: take(someSequence(&choices))
        case 4: takeIf(someSequence(&choices), operation & 8 == 0)
        case 5: replace(&choices)
        case 6: for _ in 0..<min(pending.count, Int(operation / 4)) { take(pending[0].sequence) }
        default: look(someSequence(&choices))
        }
        require(requests.count == pending.count && requests.checkInvariant(), "count")
    }

    private func someSequence(_ choices: inout Choices) -> Int32 {
        let choice = choices.byte()
        if choice < 200, !pending.isEmpty {
            return pending[choices.number(below: pending.count)].sequence
        }
        if choice < 240 { return next &+ Int32(choices.byte()) &- 128 }
        return Int32(truncatingIfNeeded: choices.numberOfAnyMagnitude())
    }

    private var next: Int32 { Int32(truncatingIfNeeded: Int(first) + turns) & .max }

    private func makeWaiter() -> Waiter {
        numbers += 1
        return Waiter(numbers)
    }

    private func add() {
        let waiter = makeWaiter()
        guard let sequence = requests.add(waiter) else {
            return require(pending.count == maximum, "refused below the bound")
        }
        require(pending.count < maximum, "accepted beyond the bound")
        require(sequence >= 0, "a negative sequence")
        require(!pending.contains { $0.sequence == sequence }, "a sequence that waits")
        // The order goes on, over slots that are taken: at most as many as wait.
        let skipped = Int((sequence &- next) & .max)
        require(skipped <= pending.count, "a sequence out of order")
        turns += skipped + 1
        pending.append((sequence, waiter.number))
    }

    private func place(of sequence: Int32) -> Int? {
        pending.firstIndex { $0.sequence == sequence }
    }

    private func take(_ sequence: Int32) {
        let number = requests.take(sequence)?.number
        require(number == place(of: sequence).map { pending.remove(at: $0).number }, "taken")
        look(sequence)
    }

    private func takeIf(_ sequence: Int32, _ condition: Bool) {
        var asked: Int?
        let waiter = requests.take(sequence) { waiter in
            asked = waiter.number
            return condition
        }
        let place = place(of: sequence)
        require(asked == place.map { pending[$0].number }, "asked about another")
        require((waiter != nil) == (place != nil && condition), "taken against the condition")
        if condition, let place { pending.remove(at: place) }
        look(sequence)
    }

    private func replace(_ choices: inout Choices) {
        guard !pending.isEmpty else { return }
        let place = choices.number(below: pending.count)
        let waiter = makeWaiter()
        pending[place].number = waiter.number
        requests.replace(pending[place].sequence, with: waiter)
        look(pending[place].sequence)
    }

    private func look(_ sequence: Int32) {
        let number = place(of: sequence).map { pending[$0].number }
        require(requests.waiter(of: sequence)?.number == number, "looked up")
        let hadItsTurn = sequence >= 0 && Int((sequence &- first) & .max) < turns
        require(requests.hasGivenOut(sequence) == hadItsTurn, "given out")
    }

    func finish() {
        require(requests.sequences() == pending.map(\.sequence), "the order of what waits")
        require(requests.checkInvariant(thoroughly: true), "the table's invariant")
    }
}
