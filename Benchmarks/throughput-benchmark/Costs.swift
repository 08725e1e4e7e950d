// What a packet costs a server: allocations, system calls, instructions, cycles. Never time.
import Glibc

/// Counts the costs of one server in one scenario. Each count is of a stated number of packets in
/// the steady state, connections and all that comes before left out.
struct Costs {
    let program: ServerProgram
    let measurement: Measurement
    let instruments: Instruments

    private var scenario: Scenario { measurement.scenario }

    /// What can be counted here; a tool that fails is named in the notes.
    func count() throws(Failure) -> Round {
        guard scenario.kind.countsCosts else { return Round() }
        var round = Round()
        try attempt("allocations, system calls") { () throws(Failure) in
            try countCalls(&round)
        }
        try attempt("instructions") { () throws(Failure) in
            switch instruments.instructions {
            case .counters: try countEvents(&round)
            case .callgrind:
                let packets = scenario.countedPackets
                let few = try instructions(packets / 4)
                let many = try instructions(packets / 4 + packets)
                round[.userInstructions] = (many - few) / Double(packets)
            case .none: break
            }
        }
        return round
    }

    private func attempt(_ what: String, _ body: () throws(Failure) -> Void) throws(Failure) {
        do throws(Failure) {
            try body()
        } catch {
            try Interrupt.check()
            instruments.note("\(program.name), \(scenario.name): \(what) not counted: \(error)")
        }
    }

    /// Exchanges a quarter of the packets, then all of them between `begin` and `end`.
    private func exchange(
        _ target: Target, begin: () throws(Failure) -> Void, end: () throws(Failure) -> Void
    ) throws(Failure) {
        let packets = scenario.countedPackets
        if scenario.kind == .churn {
            var churn = Churn(
                target.endpoint, connections: scenario.connections, stream: measurement.stream)
            try churn.exchange(connections: packets / 4)
            try begin()
            try churn.exchange(connections: packets)
            try end()
        } else {
            var load = try Load(
                target.endpoint, connections: scenario.connections, stream: measurement.stream,
                pace: .window(scenario.window))
            try load.exchange(packets: packets / 4)
            try begin()
            try load.exchange(packets: packets)
            try end()
        }
    }
}

// MARK: - Allocations and system calls

extension Costs {
    private func countCalls(_ round: inout Round) throws(Failure) {
        let counts = "\(instruments.folder.path)/allocations"
        unsafe unlink(counts)
        var environment: [String] = []
        if let library = instruments.allocationCounter {
            environment = ["LD_PRELOAD=\(library)", "ALLOCATION_COUNTER=\(counts)"]
        }
        let server = try ServerProcess(program, environment: environment)
        var tracer: Tracer?
        var before: Double?
        var after: Double?
        var calls: Double?
        try exchange(
            server.target,
            begin: { () throws(Failure) in
                if let strace = instruments.strace {
                    tracer = try Tracer(
                        strace, server.target.process ?? 0, "\(instruments.folder.path)/strace")
                }
                if isPreloaded(server.target.process ?? 0) { before = Self.allocations(counts) }
            },
            end: { () throws(Failure) in
                after = Self.allocations(counts)
                calls = try tracer?.end()
            })
        let packets = Double(scenario.countedPackets)
        if let before, let after { round[.allocations] = (after - before) / packets }
        if let calls { round[.systemCalls] = calls / packets }
    }

    /// Not into a program that is linked statically: only what became that program has the counter.
    private func isPreloaded(_ process: pid_t) -> Bool {
        guard let library = instruments.allocationCounter else { return false }
        return Files.read("/proc/\(process)/maps")?.contains(library) ?? false
    }

    /// The first of the two 64-bit numbers that the preloaded counter shares.
    private static func allocations(_ path: String) -> Double? {
        guard let file = unsafe fopen(path, "re") else { return nil }
        defer { unsafe fclose(file) }
        var count: UInt64 = 0
        return unsafe fread(&count, MemoryLayout<UInt64>.size, 1, file) == 1 ? Double(count) : nil
    }
}

/// Counts the system calls of a process while it lives: `strace -c`.
private final class Tracer {
    private var process: ChildProcess
    private let output: String

    init(_ strace: String, _ target: pid_t, _ output: String) throws(Failure) {
        self.output = output
        unsafe unlink(output)
        process = try ChildProcess(
            [strace, "-c", "-f", "-qq", "-o", output, "-p", String(target)])
        for _ in 0..<500 {
            let status = Files.read("/proc/\(target)/status") ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("TracerPid:") }
            if let line, !line.hasSuffix("\t0") { return }
            if process.hasEnded() { break }
            usleep(10_000)
        }
        throw Failure("strace may not attach here")
    }

    func end() throws(Failure) -> Double? {
        process.signal(SIGINT)
        _ = try process.awaitEnd(seconds: 10)
        return Self.total(Files.read(output) ?? "")
    }

    /// From the last line: `100.00    0.012345           1     12345        12 total`.
    static func total(_ summary: String) -> Double? {
        let words = summary.split(separator: "\n").last { $0.hasSuffix(" total") }?
            .split(separator: " ")
        guard let words, words.count >= 5 else { return nil }
        return Double(words[3])
    }
}

// MARK: - Instructions

extension Costs {
    /// By the counters of the hardware, between two readings: they slow a virtual machine down, and
    /// so have a run of their own.
    private func countEvents(_ round: inout Round) throws(Failure) {
        let server = try ServerProcess(program)
        let counters = try Counters(
            instruments.events.map(\.event), of: server.process.identifier)
        var before: [Double] = []
        var after: [Double] = []
        try exchange(
            server.target, begin: { () throws(Failure) in before = counters.read() },
            end: { () throws(Failure) in after = counters.read() })
        let packets = Double(scenario.countedPackets)
        for (place, counted) in instruments.events.enumerated() {
            round[counted.figure] = (after[place] - before[place]) / packets
        }
    }

    /// User instructions of a whole run of so many packets, by callgrind.
    private func instructions(_ packets: Int) throws(Failure) -> Double {
        let output = "\(instruments.folder.path)/callgrind"
        unsafe unlink(output)
        let tool = [
            instruments.valgrind ?? "valgrind", "--tool=callgrind", "-q",
            // It complains of every call it does not know.
            "--log-file=\(instruments.folder.path)/valgrind", "--callgrind-out-file=\(output)",
        ]
        // A copy by one instruction that repeats would count as one for each byte.
        let copies = "GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1073741824"
        // Callgrind trips over the signals with which Go's runtime interrupts its goroutines.
        let signals = "GODEBUG=asyncpreemptoff=1"
        var server = try ServerProcess(program, under: tool, environment: [copies, signals])
        var counted = measurement
        counted.packets = packets
        _ = try counted.round(on: server.target)
        try server.end()
        let line = Files.read(output)?.split(separator: "\n").last { $0.hasPrefix("totals:") }
        guard let count = line?.split(separator: " ").last, let total = Double(count) else {
            throw Failure("callgrind wrote no total")
        }
        return total
    }
}
