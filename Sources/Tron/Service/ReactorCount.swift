// How many reactors a group has.

/// How many reactors a group has: `.cores`, or a number.
public struct ReactorCount: Sendable, Hashable, ExpressibleByIntegerLiteral {
    /// Nil where the processors say it.
    private let number: Int?

    /// One for each processor that the calling thread may run on (sched_getaffinity(2)), as taskset
    /// and cpusets of containers have it; at least one. A share of processor time (`cpu.max`) is
    /// not seen: who runs under one gives a number.
    public static let cores = ReactorCount(number: nil)

    private init(number: Int?) { self.number = number }

    /// So many, 1 to 1,024.
    public static func exactly(_ number: Int) -> ReactorCount {
        demand((1...1024).contains(number), "ReactorCount.exactly(_:): 1 to 1,024")
        return ReactorCount(number: number)
    }

    /// So many, 1 to 1,024.
    public init(integerLiteral number: Int) { self = .exactly(number) }

    func resolved(_ processors: [Int]) -> Int { number ?? processors.count }
}
