// The load of a relay as a program: prints how far it has come, and the sums at the end.
import Glibc
import Tron

/// `relay-load PORT REQUESTS SEED`: so many requests in all. Prints a line for every tenth of them
/// that has an outcome; then the sums, whose parts add up, or it fails.
@main struct RelayLoadProgram {
    static func main() throws {
        let words = CommandLine.arguments.dropFirst()
        guard words.count == 3, let port = UInt16(words[1]), let requests = Int(words[2]),
            let seed = UInt64(words[3])
        else { exit(64) }
        var settings = RelayLoad.Settings()
        settings.requests = requests / settings.peers
        settings.seed = seed
        let reactor = try Reactor()
        let load = RelayLoad(to: .loopback(port: port), on: reactor, settings)
        let total = settings.requests * settings.peers
        var outcomes = 0
        load.begin { load in
            outcomes += 1
            if outcomes % (total / 10) == 0 { say("\(outcomes) outcomes") }
            if outcomes == total { load.end() }
        }
        try reactor.run()
        if let problem = load.problem {
            say("FAILED: \(problem)")
            exit(1)
        }
        let told = load.told
        say(
            "asked \(load.asked) = answered \(load.answered) + told lost \(told[1] ?? 0)"
                + " + told late \(told[2] ?? 0) + told not sent \(told[3] ?? 0)")
        exit(load.asked == total && load.concluded == total && told[4] == nil ? 0 : 1)
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
