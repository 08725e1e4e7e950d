// Requests under a seeded random mix of answers, drops, timeouts and closes: each ends once.
import Testing

@testable import Tron

@Suite struct ClientMixTests {
    private final class Mix {
        /// How each request ended, as often as it did.
        var requests: [[String]] = []
        var answersSent: Set<Int> = []
        var wrong: [String] = []

        func ended(_ number: Int, _ text: String) {
            requests[number].append(text)
            // The answer carries a function of the request.
            guard text.hasPrefix("re:") else { return }
            if text != "re:\(number)" { wrong.append("\(number): \(text)") }
            if !answersSent.contains(number) { wrong.append("\(number) was never answered") }
        }
    }

    private func ask(_ bench: ClientBench, _ mix: Mix, _ generator: inout SeededGenerator) {
        let number = mix.requests.count
        mix.requests.append([])
        let timeout = Duration.milliseconds(Int.random(in: 1...4000, using: &generator))
        bench.client.request(
            category: 1, data: "\(number)", timeout: timeout,
            isRepeatable: .random(using: &generator)
        ) { outcome in
            switch outcome {
            case .answered(let packet): mix.ended(number, packet.text)
            case .failed(let error): mix.ended(number, "\(error)")
            }
        }
    }

    /// Answers one of the requests that the server has, perhaps twice, or drops it.
    private func answer(_ bench: ClientBench, _ mix: Mix, _ generator: inout SeededGenerator) {
        let indices = bench.log.requests.indices
        guard let index = indices.randomElement(using: &generator) else { return }
        let request = bench.log.requests.remove(at: index)
        guard Int.random(in: 0..<10, using: &generator) > 0 else { return }
        mix.answersSent.insert(Int(request.text) ?? -1)
        for _ in 0..<Int.random(in: 1...2, using: &generator) {
            bench.peer?.send(sequence: request.sequence, category: 1, data: "re:" + request.text)
        }
    }

    private func disturb(_ bench: ClientBench, _ generator: inout SeededGenerator) throws {
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bench.peer?.abort()
        case 1: bench.peer?.close()
        case 2: bench.client.session?.close()
        case 3: bench.client.session?.abort()
        default:
            bench.server?.stop(sessions: Bool.random(using: &generator) ? .abort : .close)
            try bench.reactor.turn(times: 2)
            try bench.serve()
        }
        // What an earlier connection brought is answered by nobody.
        bench.log.requests.removeAll()
    }

    private func run(seed: UInt64, operations: Int) throws {
        var generator = SeededGenerator(seed: seed)
        let timeouts = [1, 3, nil].randomElement(using: &generator)!
        let bench = try ClientBench {
            $0.timeoutsBeforeReconnect = timeouts
            $0.maximumPendingRequests = 300
            $0.maximumCopiedRequests = 100
            $0.firstSequence = .max - Int32(operations / 4)
        }
        bench.log.answers = false
        let mix = Mix()
        for _ in 0..<operations {
            switch Int.random(in: 0..<1000, using: &generator) {
            case 0..<450: ask(bench, mix, &generator)
            case 450..<890: answer(bench, mix, &generator)
            case 890..<985: try bench.turnFrozen(1)
            case 985..<998:
                // So that a lost connection is back soon, measured in operations.
                bench.kernel.advance(.milliseconds(250))
                try bench.turnFrozen(1)
            default: try disturb(bench, &generator)
            }
        }
        bench.client.close()
        try bench.turnFrozen(20)
        let wrongCounts = mix.requests.filter { $0.count != 1 }.count
        #expect(wrongCounts == 0, "seed \(seed)")
        #expect(mix.wrong.isEmpty, "seed \(seed): \(mix.wrong.prefix(5))")
        #expect(bench.client.pendingRequestCount == 0 && bench.client.requests.waitingCount == 0)
        let counters = bench.client.counters
        let answered = mix.requests.count { $0.first?.hasPrefix("re:") == true }
        #expect(counters.requestsAnswered == answered && answered > 0, "seed \(seed)")
        let timedOut = mix.requests.count { $0 == ["no answer in time"] }
        #expect(counters.requestsTimedOut == timedOut)
    }

    @Test(arguments: 0..<8) func `each request ends exactly once, and with its own answer`(
        round: UInt64
    ) throws {
        try run(seed: RandomRun.seed &+ round, operations: min(RandomRun.operations / 10, 20_000))
    }
}
