// Times the building blocks of a packet's way, without sockets, beside naive ones.
//
//     swift run -c release micro-benchmark                 a table of time and instructions
//     swift run -c release micro-benchmark decode 1000000  one of them, for a tool that counts
//     swift run -c release micro-benchmark naive-decode 1000000
//
// Where the machine has no counter of instructions, `Benchmarks/micro-instructions` counts them.
// Storage and Wire are the library's own files, compiled a second time: they are not public.
#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// How many the table takes.
let operations = 1_000_000

func nanoseconds() -> Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// The best of three rounds: what disturbs a round only makes it slower.
func nanosecondsPerOperation(_ run: Benchmark.Run) -> Double {
    let rounds = (0..<3).map { _ in
        let start = nanoseconds()
        _ = run(operations)
        return nanoseconds() - start
    }
    return Double(rounds.min() ?? 0) / Double(operations)
}

/// What no operation costs is not an operation's.
func instructionsPerOperation(_ run: Benchmark.Run, _ counter: InstructionCounter) -> Double {
    let start = counter.count
    _ = run(0)
    let middle = counter.count
    _ = run(operations)
    return (Double(counter.count - middle) - Double(middle - start)) / Double(operations)
}

func padded(_ text: String, to width: Int, right: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return right ? space + text : text + space
}

func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}

func printRow(_ name: String, _ figures: [String], _ rival: String, _ summary: String) {
    let columns = [padded(name, to: 20)] + figures.map { padded($0, to: 8, right: true) }
    print(columns.joined(separator: " "), "", padded(rival, to: 12), summary)
}

func printTable() {
    let counter = InstructionCounter()
    func figures(_ run: Benchmark.Run) -> [String] {
        let instructions = counter.map { tenths(instructionsPerOperation(run, $0)) } ?? "-"
        return [tenths(nanosecondsPerOperation(run)), instructions]
    }
    printRow(
        "an operation", ["ns", "instr.", "naive ns", "instr."], "the naive is", "the operation is")
    for benchmark in Benchmark.all {
        precondition(benchmark.ours(1000) == benchmark.naive(1000), "\(benchmark.name) is wrong")
        printRow(
            benchmark.name, figures(benchmark.ours) + figures(benchmark.naive),
            benchmark.rival, benchmark.summary)
    }
    if counter == nil {
        print("instructions: not available here; Benchmarks/micro-instructions counts them")
    }
}

/// By the name of the benchmark, or `naive-` and the name.
func run(named name: String) -> Benchmark.Run? {
    let prefix = "naive-"
    let isNaive = name.hasPrefix(prefix)
    let benchmark = Benchmark.all.first { $0.name == name.dropFirst(isNaive ? prefix.count : 0) }
    return isNaive ? benchmark?.naive : benchmark?.ours
}

let arguments = CommandLine.arguments.dropFirst()
if arguments.isEmpty {
    printTable()
} else if arguments.count == 2, let count = Int(arguments[2]), count >= 0,
    let run = run(named: arguments[1])
{
    // The sum is printed so that the optimiser cannot leave the work out.
    print(arguments[1], count, run(count))
} else {
    print("usage: micro-benchmark [[naive-]NAME OPERATIONS]")
    print("names:", Benchmark.all.map(\.name).joined(separator: " "))
    exit(64)
}
