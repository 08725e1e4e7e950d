// Clocks, and which processor does what.
import CBenchmark
import Glibc

/// The monotonic clock.
@inline(__always)
func nanoseconds() -> UInt64 { benchmark_nanoseconds(CLOCK_MONOTONIC) }

/// The processors that this process may use, and the two that a run takes.
enum Processor {
    /// Where the server and where the generator runs; nil when there are not two. Two threads of
    /// one core would slow each other down, and are taken only where there is no other core.
    static let pair: (server: Int, generator: Int)? = {
        guard let server = usable.first else { return nil }
        let topology = "/sys/devices/system/cpu/cpu\(server)/topology/thread_siblings_list"
        let siblings = numbers(in: Files.read(topology) ?? "")
        let others = usable.dropFirst()
        let generator = others.first { !siblings.contains($0) } ?? others.first
        return generator.map { (server, $0) }
    }()

    /// As the kernel lists them: `0-1,64`.
    static func numbers(in list: String) -> [Int] {
        list.split { $0 == "," || $0.isWhitespace }.flatMap { range in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last else {
                return [Int]()
            }
            return Array(first...last)
        }
    }

    /// The numbers of those that this process could use before it bound itself to one.
    static let usable: [Int] = {
        var words = [UInt64](repeating: 0, count: Int(BENCHMARK_MASK_WORDS))
        guard unsafe benchmark_get_affinity(&words) > 0 else { return [] }
        return words.indices.flatMap { word in
            (0..<64).filter { words[word] >> UInt64($0) & 1 == 1 }.map { word * 64 + $0 }
        }
    }()

    /// Binds this thread to some of them; processes that it starts inherit that.
    static func bind(to processors: [Int]) {
        var words = [UInt64](repeating: 0, count: Int(BENCHMARK_MASK_WORDS))
        for processor in processors where processor / 64 < words.count {
            words[processor / 64] |= 1 << UInt64(processor % 64)
        }
        _ = unsafe benchmark_set_affinity(&words)
    }

    /// How long the two processors have not been idle, in nanoseconds; nil without a pair.
    static var busyTime: UInt64? {
        guard let pair, let text = Files.read("/proc/stat") else { return nil }
        let names = ["cpu\(pair.server)", "cpu\(pair.generator)"]
        let tick = 1_000_000_000 / UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        var ticks: UInt64 = 0
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let name = words.first, names.contains(String(name)) else { continue }
            let times = words.dropFirst().compactMap { UInt64($0) }
            // user nice system idle iowait irq softirq steal; guests are in user already.
            for (place, time) in times.prefix(8).enumerated() where place != 3 && place != 4 {
                ticks += time
            }
        }
        return ticks * tick
    }

    /// What this process has used of its processor, in nanoseconds.
    static var ownTime: UInt64 { benchmark_nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }
}

enum DescriptorLimit {
    /// Lets the process, and those it starts, have as many as they may; returns how many.
    @discardableResult
    static func raise() -> Int {
        var limit = rlimit()
        let descriptors = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(descriptors, &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(descriptors, &limit)
        return Int(clamping: limit.rlim_cur)
    }
}
