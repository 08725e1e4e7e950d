// The servers that are measured: ours and its peers, each a process that echoes packets on a port.
import CBenchmark
import Glibc
import Tron

/// A server that can be started.
struct ServerProgram: Sendable {
    let name: String
    /// The program and its arguments, the port left out.
    let words: [String]
    /// How many threads it may need a processor for.
    var threads = 1
    /// Whether it can send what comes in elsewhere than to where it came from.
    let hasRoutes: Bool
    /// Whether what it does is what packets cost: one that spins looks for them all the time.
    var isCounted = true

    static let ours = ServerProgram(
        name: "tron", words: [Files.ownProgram, "--serve"], hasRoutes: true)

    /// Ours with a group of reactors.
    static func ours(reactors: Int) -> ServerProgram {
        ServerProgram(
            name: "\(ours.name)-\(reactors)-reactors",
            words: ours.words + [Command.reactorsOption, String(reactors)], threads: reactors,
            hasRoutes: false)
    }

    /// Ours with `ReactorLimits.spin`, in microseconds.
    static func ours(spin: Int) -> ServerProgram {
        ServerProgram(
            name: "\(ours.name)-spins", words: ours.words + [Command.spinOption, String(spin)],
            hasRoutes: true, isCounted: false)
    }

    /// What all others are compared with, where it is built.
    static let reference = "raw-epoll"

    static let peersFolder = "\(Files.packageFolder)/Benchmarks/peers/bin"

    private static let withRoutes = [reference, "libuv"]

    /// The peers that were built, the reference first.
    static func peers(in folder: String = peersFolder) -> [ServerProgram] {
        let names = Files.names(in: folder).filter { Files.isExecutable("\(folder)/\($0)") }
        let ordered = names.filter { $0 == reference } + names.filter { $0 != reference }
        return ordered.map { name in
            ServerProgram(
                name: name, words: ["\(folder)/\(name)"], hasRoutes: withRoutes.contains(name))
        }
    }
}

/// One that runs.
struct ServerProcess: ~Copyable {
    var process: ChildProcess
    let endpoint: Endpoint

    /// Starts it on its processor, by way of a tool if there is one, and waits until it listens.
    init(
        _ program: ServerProgram, _ route: Route = .echo, under tool: [String] = [],
        environment: [String] = []
    ) throws(Failure) {
        let port = try freePort()
        let endpoint = try Endpoint.loopback(port: port)
        // Processes inherit where this one runs.
        if let pair = Processor.pair {
            Processor.bind(to: program.threads > 1 ? Processor.usable : [pair.server])
        }
        defer { if let pair = Processor.pair { Processor.bind(to: [pair.generator]) } }
        let arguments = [String(port)] + (route == .echo ? [] : [route.rawValue])
        var process = try ChildProcess(
            tool + program.words + arguments, environment: environment)
        for _ in 0..<2000 {
            if let descriptor = try? endpoint.connect() {
                close(descriptor)
                // A second one, so that the load's connections are pairs among themselves.
                if route == .pairs { close(try endpoint.connect()) }
                self.process = process
                self.endpoint = endpoint
                return
            }
            try Interrupt.check()
            if process.hasEnded() { throw Failure("\(program.name) ended before it listened") }
            usleep(10_000)
        }
        throw Failure("\(program.name) does not listen")
    }

    var target: Target { Target(endpoint: endpoint, process: process.identifier) }

    /// Asks it to end, and waits: what counts at the end is written then.
    mutating func end() throws(Failure) {
        process.signal(SIGTERM)
        _ = try process.awaitEnd(seconds: 20)
    }
}

/// What is put under load: an address, and the process behind it where it is known.
struct Target {
    let endpoint: Endpoint
    var process: pid_t?

    /// What the process has used of its processor, in nanoseconds.
    var time: UInt64? { process.map(benchmark_process_time) }

    /// Bytes of memory that are the process's alone.
    var privateMemory: Int? {
        guard let process, let text = Files.read("/proc/\(process)/smaps_rollup") else {
            return nil
        }
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("Private_") }
        let kilobytes = lines.compactMap { line in
            line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        }
        return kilobytes.reduce(0, +) << 10
    }
}
