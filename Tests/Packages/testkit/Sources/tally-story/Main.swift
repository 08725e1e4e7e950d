// Tells the story of one seed: `tally-story SEED`. Two processes tell the same.
import Tally
import Tron
import TronTestKit

@main struct TallyStory {
    static func main() throws {
        let seed = CommandLine.arguments.dropFirst().first.flatMap { UInt64($0) } ?? 1
        let network = SimulatedNetwork(seed: seed)
        let server = try network.reactor(named: "server") { reactor in
            try TallyServer.listen(on: reactor, port: 9000)
        }
        var voters: [Voter] = []
        for name in ["red", "green", "blue"] {
            try network.reactor(named: name) { reactor in
                voters.append(Voter(for: name, at: "server:9000", on: reactor))
            }
        }
        for fault in [SimulatedFault.shortRead, .interruptedCall, .refusedConnection] {
            network.setProbability(of: fault, to: 0.2)
        }
        network.schedule(after: .seconds(3)) { network.partition("red", from: "server") }
        network.schedule(after: .seconds(5)) { server.crash() }
        network.schedule(after: .seconds(6)) { try? server.restart() }
        network.schedule(after: .seconds(8)) { network.heal() }
        network.advance(by: .seconds(60))
        print(network.trace.joined(separator: "\n"))
        try network.finish()
        for voter in voters { print("\(voter.count) votes, \(voter.losses) losses") }
    }
}
