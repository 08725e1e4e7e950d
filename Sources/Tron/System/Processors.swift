// The processors of the machine that a thread may use, as sched_getaffinity(2) has them.
internal import CEpollShim

enum Processors {
    /// More than any Linux can have (CONFIG_NR_CPUS).
    private static let most = 8192

    /// Their numbers, ascending; none where the kernel does not say.
    static func ofCallingThread() -> [Int] {
        let size = MemoryLayout<UInt>.size
        var words = [UInt](repeating: 0, count: most / (8 * size))
        let filled = unsafe words.withUnsafeMutableBytes {
            unsafe tron_processors($0.baseAddress.unsafelyUnwrapped, $0.count)
        }
        guard filled > 0 else { return [] }
        return (0..<filled * 8).filter { bit in
            words[bit / (8 * size)] >> UInt(bit % (8 * size)) & 1 == 1
        }
    }

    /// Those of the calling thread, which those that it starts inherit; at least one.
    static func usable(by kernel: Kernel) -> [Int] {
        let processors = kernel.processors()
        return processors.isEmpty ? [0] : processors
    }
}
