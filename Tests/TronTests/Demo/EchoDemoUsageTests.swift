// The command line of the demo: its help, its version, and what it says of each misuse.
import Testing

@Suite struct EchoDemoUsageTests {
    private static let options = [
        "--port", "--host", "--unix", "--idle", "--max-data", "--reactors", "--metrics",
        "--timeout",
        "--retry-initial", "--retry-multiplier", "--retry-cap", "--retry-attempts", "--jitter",
    ]

    @Test func `help and version`() throws {
        let version = try ProcessUnderTest.run(["--version"])
        #expect(version.status == 0)
        #expect(version.output == "echo-demo 0.1.0\n")
        for arguments in [["--help"], ["serve", "--help"]] {
            let help = try ProcessUnderTest.run(arguments)
            #expect(help.status == 0)
            for option in Self.options { #expect(help.output.contains(option)) }
            #expect(help.errors == "")
        }
    }

    @Test(arguments: [
        "shout": "unknown command shout", "--loud": "unknown option --loud",
        "serve": "serve needs --port or --unix, or listeners handed over by a supervisor",
        "connect": "connect needs --port or --unix",
        "serve --port": "--port needs a value, N",
        "serve --port --host": "--port needs a value, N",
        "serve --port nine": "--port: nine is not a number",
        "serve --port -1": "--port: -1 is not a number",
        "serve --port 65536": "--port: 65536 is not within 0 to 65535",
        "serve --port 1 --port 2": "--port is given twice",
        "serve --port 1 --loud 2": "unknown option --loud of serve",
        "serve --port 1 --timeout 2": "unknown option --timeout of serve",
        "serve --unix /a --host ::1": "--host and --unix exclude each other",
        "serve --unix /a --port 1": "--port and --unix exclude each other",
        "serve --port 1 --idle 0": "--idle: 0 s is not more than 0 and at most a billion",
        "serve --port 1 --idle 1e3": "--idle: 1e3 is not a number of seconds",
        "serve --port 1 --max-sessions 0": "--max-sessions: 0 is not within 1 to 1000000000",
        "serve --port 1 --reactors 0": "--reactors: 0 is not within 1 to 1024",
        "serve --reactors 2 --watch --port 1": "--watch shows one reactor: --reactors 1",
        "serve --reactors 2":
            "serve needs --port or --unix, or listeners handed over by a supervisor",
        "serve --port 1 --metrics 65536": "--metrics: 65536 is not within 0 to 65535",
        "serve --port 1 --metrics a:1":
            #"--metrics: "a:1" is not a socket address: "#
            + "the host is a name, which has to be resolved to an address first",
        "serve --port 1 --host localhost":
            #""localhost:1" is not a socket address: "#
            + "the host is a name, which has to be resolved to an address first",
        "serve --port 1 --jitter full": "unknown option --jitter of serve",
        "connect --port 0": "--port: nobody can connect to port 0",
        "connect --port 1 --host 1.2.3":
            #""1.2.3:1" is not a socket address: "#
            + "the host is neither an IPv4 address nor an IPv6 address in brackets",
        "connect --port 1 --jitter": "--jitter needs a value, none|full|equal",
        "connect --port 1 --jitter some": "--jitter: some is not none, full or equal",
        "connect --port 1 --retry-initial 0":
            "--retry-initial: 0 s is not more than 0 and at most a billion",
        "connect --port 1 --retry-multiplier 0.5":
            "--retry-multiplier: 0.5 is not within 1 to 1000",
        "connect --port 1 --retry-multiplier inf": "--retry-multiplier: inf is not a number",
        "connect --port 1 --retry-cap 1": "--retry-cap is less than --retry-initial",
        "connect --port 1 --retry-attempts 0": "--retry-attempts: 0 is not within 1 to 1000000000",
    ])
    func `misuse exits 64 with the reason and the usage`(line: String, reason: String) throws {
        let arguments = line.split(separator: " ").map(String.init)
        let outcome = try ProcessUnderTest.run(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.output == "")
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first == "echo-demo: \(reason)")
        #expect(lines.last?.hasPrefix("usage: echo-demo ") == true)
    }
}
