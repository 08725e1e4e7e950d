// The program: clients of a server in another process, which they signal, or groups in this one.
import Glibc
import Metrics
import MetricsTestKit
import Tron

@main struct Main {
    private static let usage = """
        usage: service-scenario groups
               service-scenario signal PORT PROCESS
               service-scenario signal-twice PORT PROCESS

        groups: servers in this process, with every way in which a group of services ends them.
        signal: loads the key-value server of that port, sends SIGTERM to its process, and counts
        what is answered. signal-twice: sends a second one while replies are owed, which never come.
        """

    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            switch (words.first, words.dropFirst().compactMap { UInt32($0) }) {
            case ("groups", []):
                let metrics = TestMetrics()
                MetricsSystem.bootstrap(metrics)
                try await GroupScenarios(metrics: metrics).run()
            case ("signal", let numbers) where numbers.count == 2:
                try await signal(.loopback(port: UInt16(numbers[0])), pid_t(numbers[1]))
            case ("signal-twice", let numbers) where numbers.count == 2:
                try await signalTwice(.loopback(port: UInt16(numbers[0])), pid_t(numbers[1]))
            default:
                print(usage)
                exit(64)
            }
        } catch {
            print("FAILED: \(error)")
            exit(1)
        }
    }

    private static func signal(_ address: SocketAddress, _ process: pid_t) async throws {
        let outcome = try await Load.run(
            .sets(atOnce: 50), to: address, onWork: { kill(process, SIGTERM) })
        print(outcome)
        try outcome.requireAnswers()
    }

    private static func signalTwice(_ address: SocketAddress, _ process: pid_t) async throws {
        let sets = 5
        let outcome = try await Load.run(
            .setsThenGet(sets), to: address, onWork: { kill(process, SIGTERM) },
            onDeafness: { kill(process, SIGTERM) })
        print(outcome)
        try outcome.requireGetsAlone(sets)
    }
}
