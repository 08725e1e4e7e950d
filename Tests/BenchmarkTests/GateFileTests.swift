// The gate: which figures pass, which fail, and how the file is written anew.
import Testing

@testable import throughput_benchmark

@Suite struct GateFileTests {
    private let file = """
        # a remark
        throughput allocations_per_packet 0.000
        throughput user_instructions_per_packet 100.0
        round-trips user_instructions_per_packet 440.0 450.0

        """

    private func results(
        throughput: [Figure: Double], roundTrips: [Figure: Double] = [:]
    ) -> [ScenarioResult] {
        [("throughput", throughput), ("round-trips", roundTrips)].map { name, values in
            let server = ServerResult(name: "tron", rounds: [Round(values: values)])
            return ScenarioResult(name: name, servers: [server])
        }
    }

    private func passes(_ results: [ScenarioResult]) throws -> Bool {
        try Gate(parsing: file).check(results).passes
    }

    @Test func `up to a tenth more passes, and not more than that`() throws {
        #expect(try passes(results(throughput: [.userInstructions: 109.9])))
        #expect(try !passes(results(throughput: [.userInstructions: 110.1])))
    }

    @Test func `a stray allocation passes, one in every hundredth packet does not`() throws {
        #expect(try passes(results(throughput: [.allocations: 0.0001])))
        #expect(try !passes(results(throughput: [.allocations: 0.01])))
    }

    @Test func `a bound of its own holds whatever was expected`() throws {
        let within = results(throughput: [:], roundTrips: [.userInstructions: 450])
        #expect(try passes(within))
        let above = results(throughput: [:], roundTrips: [.userInstructions: 450.1])
        #expect(try !passes(above))
    }

    @Test func `what was not measured passes, and is said`() throws {
        let (table, passes) = try Gate(parsing: file).check(results(throughput: [:]))
        #expect(passes)
        #expect(table.rows.map(\.last) == Array(repeating: "not measured", count: 3))
    }

    @Test func `the file is written anew with its remarks and bounds`() throws {
        var gate = try Gate(parsing: file)
        #expect(gate.text == file)
        gate.rewrite(
            results(throughput: [.userInstructions: 1234.5], roundTrips: [.userInstructions: 430]))
        #expect(
            gate.text == """
                # a remark
                throughput allocations_per_packet 0.000
                throughput user_instructions_per_packet 1235
                round-trips user_instructions_per_packet 430.0 450.0

                """)
    }

    @Test func `a new file has every count of its scenarios`() throws {
        #expect(Gate().entries.count == 12)
        #expect(try Gate(parsing: Gate().text) == Gate())
    }

    @Test(arguments: [
        "throughput", "throughput p50", "nowhere p50 1", "throughput p50 x", "a b 1 2 3",
    ])
    func `another file is refused`(text: String) {
        #expect(throws: Failure.self) { try Gate(parsing: text) }
    }
}
