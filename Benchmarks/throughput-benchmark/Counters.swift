// Performance counters of a process: perf_event_open(2).
import CBenchmark
import Glibc

/// Counters of all threads that a process has, and of those they start; they run from the start.
struct Counters: ~Copyable {
    /// What is counted, in user mode or in the kernel.
    struct Event {
        let type: UInt32
        let event: UInt64
        var isKernel = false

        /// The hardware's, by the figures that they yield.
        static let hardware: [(figure: Figure, event: Event)] = [
            (.userInstructions, Event(type: hardwareType, event: instructions)),
            (.kernelInstructions, Event(type: hardwareType, event: instructions, isKernel: true)),
            (.userCycles, Event(type: hardwareType, event: cycles)),
            (.kernelCycles, Event(type: hardwareType, event: cycles, isKernel: true)),
        ]

        /// Nanoseconds on a processor; works where the hardware's counters do not.
        static let taskClock = Event(
            type: UInt32(PERF_TYPE_SOFTWARE.rawValue),
            event: UInt64(PERF_COUNT_SW_TASK_CLOCK.rawValue))

        private static let hardwareType = UInt32(PERF_TYPE_HARDWARE.rawValue)
        private static let instructions = UInt64(PERF_COUNT_HW_INSTRUCTIONS.rawValue)
        private static let cycles = UInt64(PERF_COUNT_HW_CPU_CYCLES.rawValue)
    }

    /// For each event, a counter of each thread.
    private var descriptors: [[Int32]] = []

    init(_ events: [Event], of process: pid_t) throws(Failure) {
        let threads = Files.names(in: "/proc/\(process)/task").compactMap { pid_t($0) }
        guard !threads.isEmpty else { throw Failure("no process \(process)") }
        for event in events {
            var counters: [Int32] = []
            for thread in threads {
                let result = benchmark_counter_open(
                    thread, event.type, event.event, event.isKernel ? 1 : 0)
                // A thread that has ended since it was listed.
                if result == -Int(ESRCH) { continue }
                if result < 0 {
                    descriptors.append(counters)
                    throw Failure("perf_event_open", code: result)
                }
                counters.append(Int32(result))
            }
            descriptors.append(counters)
        }
    }

    deinit {
        for descriptor in descriptors.joined() { close(descriptor) }
    }

    /// The events so far, in the order they were asked for.
    func read() -> [Double] {
        descriptors.map { counters in counters.reduce(0) { $0 + Self.value(of: $1) } }
    }

    /// Scaled up by the time that the counter had to leave the hardware to others.
    private static func value(of descriptor: Int32) -> Double {
        // PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING
        var words: [UInt64] = [0, 0, 0]
        let size = words.count * MemoryLayout<UInt64>.size
        guard unsafe Glibc.read(descriptor, &words, size) == size, words[2] > 0 else { return 0 }
        return Double(words[0]) * Double(words[1]) / Double(words[2])
    }
}
