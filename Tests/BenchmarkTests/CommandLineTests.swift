// The command line of the benchmark: what each option means, and what is refused.
import Testing

@testable import throughput_benchmark

@Suite struct CommandLineTests {
    private func settings(_ words: String) throws -> Settings {
        let command = try Command(words.split(separator: " ").map(String.init))
        guard case .measure(let settings) = command else { throw UsageError("no measurement") }
        return settings
    }

    @Test func `no arguments mean every scenario with its own numbers`() throws {
        let scenarios = try settings("").scenarios
        #expect(Set(scenarios.map(\.kind)) == Set(Scenario.Kind.allCases))
        #expect(scenarios[0].connections == 50)
        #expect(scenarios[0].window == 64)
        #expect(scenarios[1].window == 1)
        #expect(scenarios[2].connections == 1000)
    }

    @Test func `what is about bytes is measured with several sizes`() throws {
        let scenarios = try settings("--scenario sizes --scenario room").scenarios
        #expect(
            scenarios.map(\.name) == [
                "sizes-256", "sizes-1024", "sizes-4096", "sizes-16384", "sizes-65536",
                "sizes-262144", "sizes-1048576", "room-4096", "room-65536",
            ])
        #expect(scenarios.map(\.window) == [2048, 512, 128, 32, 8, 2, 1, 128, 8])
        let one = try settings("--scenario sizes --size 3000").scenarios
        #expect(one.map(\.name) == ["sizes-3000"])
        #expect(one[0].window == 174)
    }

    @Test func `each number is set in the chosen scenarios, in the order they are named`() throws {
        let settings = try settings(
            "--scenario churn --scenario throughput --connections 7 --window 3 --size 5-900 "
                + "--rate 12.5 --duration 0.25 --warm-up 0 --rounds 4 --packets 99")
        #expect(settings.scenarios.map(\.kind) == [.churn, .throughput])
        for scenario in settings.scenarios {
            #expect(scenario.connections == 7)
            #expect(scenario.window == 3)
            #expect(scenario.sizes == 5...900)
            #expect(scenario.rate == 12.5)
            #expect(scenario.duration == 0.25)
            #expect(scenario.warmUp == 0)
            #expect(scenario.rounds == 4)
        }
        #expect(settings.packets == 99)
    }

    @Test func `a scenario named twice is measured once`() throws {
        #expect(try settings("--scenario idle --scenario idle").scenarios.count == 1)
    }

    @Test func `the rest of a run is told apart`() throws {
        let settings = try settings("--peers --no-costs --instructions none --json out.json")
        #expect(settings.comparesPeers)
        #expect(!settings.countsCosts)
        #expect(settings.instructions == Instruments.Instructions.none)
        #expect(settings.json == "out.json")
        #expect(try self.settings("--connect 127.0.0.1:80").endpoint?.text == "127.0.0.1:80")
    }

    @Test func `other commands`() throws {
        guard case .serve(9000, .alone(.echo, spin: 0)) = try Command(["--serve"]),
            case .serve(81, .alone(.echo, spin: 0)) = try Command(["--serve", "81"]),
            case .serve(81, .alone(.room, spin: 0)) = try Command(["--serve", "81", "room"]),
            case .serve(81, .alone(.room, spin: 9)) = try Command(
                ["--serve", "--spin", "9", "81", "room"]),
            case .serve(81, .group(reactors: 4)) = try Command(["--serve", "--reactors", "4", "81"])
        else { throw UsageError("serve") }
        guard case .compare(let old, let new) = try Command(["--compare", "a", "b"]) else {
            throw UsageError("compare")
        }
        #expect([old, new] == ["a", "b"])
        guard case .help = try Command(["--help"]) else { throw UsageError("help") }
    }

    @Test func `reactors share what echoes, and instructions are those of all threads`() throws {
        let settings = try settings("--reactors 2")
        #expect(settings.reactors == 2)
        #expect(settings.scenarios.allSatisfy { $0.kind.route == .echo })
        let program = ServerProgram.ours(reactors: 2)
        #expect(program.name == "tron-2-reactors" && program.threads == 2)
        #expect(Array(program.words.dropFirst()) == ["--serve", "--reactors", "2"])
    }

    @Test func `a server that spins is measured beside ours`() throws {
        #expect(try settings("--spin 50 --peers").spin == 50)
        #expect(try settings("--spin 50").comparesServers && !settings("").comparesServers)
        let program = ServerProgram.ours(spin: 50)
        #expect(program.name == "tron-spins" && program.hasRoutes && !program.isCounted)
        #expect(Array(program.words.dropFirst()) == ["--serve", "--spin", "50"])
    }

    @Test(arguments: [
        ("--reactors 0", "--reactors: 0 is not within 1 to 1024"),
        ("--reactors 2 --scenario room", "--reactors loads servers that echo: no pairs, no room"),
        ("--reactors 2 --peers", "--reactors excludes --connect, --peers and --gate"),
        ("--reactors 2 --gate f", "--reactors excludes --connect, --peers and --gate"),
        (
            "--reactors 2 --instructions counters",
            "--reactors: the counters count one thread alone"
        ),
        ("--spin 0", "--spin: 0 is not within 1 to 1000000"),
        ("--spin 50 --connect 127.0.0.1:80", "--spin excludes --connect, --reactors and --gate"),
        ("--spin 50 --reactors 2", "--spin excludes --connect, --reactors and --gate"),
        ("--spin 50 --gate f", "--spin excludes --connect, --reactors and --gate"),
        ("--serve --reactors", "--reactors needs a value, N"),
        ("--serve --spin", "--spin needs a value, N"),
        ("--serve --reactors 2 --spin 50", "--reactors excludes --spin"),
        ("--serve --reactors 2 81 room", "--serve --reactors echoes: no pairs, no room"),
        ("--nothing", "unknown option --nothing"),
        ("12", "unknown option 12"),
        ("--window", "--window needs a value, N"),
        ("--json --peers", "--json needs a value, FILE"),
        ("--window 0", "--window: 0 is not within 1 to 65536"),
        ("--window +1", "--window: +1 is not a number"),
        ("--window 1 --window 2", "--window is given twice"),
        ("--size 9-3", "--size: 9-3 is not in ascending order"),
        ("--size 1-2-3", "--size: 2-3 is not a number"),
        ("--size -", "--size:  is not a number"),
        ("--rate nan", "--rate: nan is not a number"),
        ("--duration 0", "--duration: 0 is not within 0.01 to 86,400"),
        ("--scenario all", "--scenario: there is no scenario all"),
        ("--instructions some", "--instructions: some is not counters, callgrind or none"),
        ("--peers --connect 127.0.0.1:1", "--peers and --connect exclude each other"),
        ("--gate f --peers", "--gate excludes --connect, --peers and --no-costs"),
        ("--rewrite", "--rewrite needs --gate"),
        (
            "--connect 127.0.0.1:1 --scenario room",
            "--connect loads servers that echo: no pairs, no room"
        ),
        ("--serve x", "--serve takes a port, and echo, pairs or room"),
        ("--serve 1 2", "--serve takes a port, and echo, pairs or room"),
        ("--serve 1 pairs 2", "--serve takes a port, and echo, pairs or room"),
        ("--compare a", "--compare needs two files"),
    ])
    func `a command line that cannot be understood is refused`(words: String, reason: String) {
        #expect(throws: UsageError(reason)) {
            try Command(words.split(separator: " ").map(String.init))
        }
    }
}
