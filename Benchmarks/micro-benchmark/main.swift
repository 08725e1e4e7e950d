// Times the building blocks of a packet's way, without sockets: a table, or one of them by name.
//
//     swift run -c release micro-benchmark                 nanoseconds an operation, all of them
//     valgrind --tool=callgrind micro-benchmark decode 1000000      one, for an instruction count
//
// Storage and Wire are the library's own files, compiled a second time: they are not public.
#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

func nanoseconds() -> Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// The best of five rounds: what disturbs a round only makes it slower.
func nanosecondsPerOperation(_ benchmark: Benchmark) -> Double {
    let rounds = (0..<5).map { _ in
        let start = nanoseconds()
        _ = benchmark.run(benchmark.operations)
        return nanoseconds() - start
    }
    return Double(rounds.min() ?? 0) / Double(benchmark.operations)
}

func padded(_ text: String, to width: Int, right: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return right ? space + text : text + space
}

func printTable() {
    print(padded("operation", to: 18), padded("ns", to: 6, right: true), "", "what it does")
    for benchmark in Benchmark.all {
        let tenths = Int((nanosecondsPerOperation(benchmark) * 10).rounded())
        let time = "\(tenths / 10).\(tenths % 10)"
        let columns = [padded(benchmark.name, to: 18), padded(time, to: 6, right: true)]
        print(columns.joined(separator: " "), "", benchmark.summary)
    }
}

let arguments = CommandLine.arguments.dropFirst()
if arguments.isEmpty {
    printTable()
} else if arguments.count == 2, let operations = Int(arguments[2]), operations >= 0,
    let benchmark = Benchmark.all.first(where: { $0.name == arguments[1] })
{
    // The sum is printed so that the optimiser cannot leave the work out.
    print(benchmark.name, operations, benchmark.run(operations))
} else {
    print("usage: micro-benchmark [NAME OPERATIONS]")
    print("names:", Benchmark.all.map(\.name).joined(separator: " "))
    exit(64)
}
