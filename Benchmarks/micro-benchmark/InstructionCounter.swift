// Counts the user instructions of this process: perf_event_open(2).
import CBenchmark

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A counter of the hardware, where the machine has one and allows its use.
final class InstructionCounter {
    private let descriptor: Int32

    init?() {
        let result = benchmark_counter_open(
            0, UInt32(PERF_TYPE_HARDWARE.rawValue), UInt64(PERF_COUNT_HW_INSTRUCTIONS.rawValue), 0)
        guard result >= 0 else { return nil }
        descriptor = Int32(result)
    }

    deinit { close(descriptor) }

    /// Since the counter was opened.
    var count: UInt64 {
        // The count, and how long it was wanted and counted: the same for a single counter.
        var words: [UInt64] = [0, 0, 0]
        let size = words.count * MemoryLayout<UInt64>.size
        return unsafe read(descriptor, &words, size) == size ? words[0] : 0
    }
}
