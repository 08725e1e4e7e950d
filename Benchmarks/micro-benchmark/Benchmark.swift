// What is measured: each benchmark does so many operations, ours and as one would write it first.

/// Both ways return a sum that depends on every operation, and it has to be the same.
struct Benchmark: Sendable {
    typealias Run = @Sendable (_ operations: Int) -> UInt64

    let name: String
    let summary: String
    let ours: Run
    /// What the naive way is.
    let rival: String
    let naive: Run

    static let all = wire + storage + timers

    static let wire = [
        Benchmark(
            name: "decode", summary: "64 B of data, 64 packets in a read",
            ours: { decode($0, readLength: 64 * 75) },
            rival: "byte by byte",
            naive: { decodeNaively($0, readLength: 64 * 75) }),
        Benchmark(
            name: "decode-cut", summary: "the same, every 13th cut by a read",
            ours: { decode($0, readLength: 1000) },
            rival: "byte by byte",
            naive: { decodeNaively($0, readLength: 1000) }),
        Benchmark(
            name: "encode", summary: "64 B of data into a ring",
            ours: encode,
            rival: "array",
            naive: encodeNaively),
    ]

    static let storage = [
        Benchmark(
            name: "ring", summary: "48 B in and out, 4,800 waiting",
            ours: ring,
            rival: "array",
            naive: ringNaively),
        Benchmark(
            name: "slab-lookup", summary: "one of 10,000 by its key",
            ours: slabLookup,
            rival: "dictionary",
            naive: slabLookupNaively),
        Benchmark(
            name: "slab-reuse", summary: "one of 10,000 replaced",
            ours: slabReuse,
            rival: "dictionary",
            naive: slabReuseNaively),
    ]

    static let timers =
        timers(within: .minute, "a minute", suffix: "") + [
            Benchmark(
                name: "timer-cancel", summary: "within a minute, cancelled, set again",
                ours: { rescheduleTimers(in: TimerWheel(), $0) },
                rival: "binary heap",
                naive: { rescheduleTimers(in: TimerHeap(), $0) })
        ] + timers(within: .tenMinutes, "ten minutes", suffix: "-10min")
        + timers(within: .hour, "an hour", suffix: "-hour")

    private static func timers(
        within span: TimerSpan, _ text: String, suffix: String
    ) -> [Benchmark] {
        [
            Benchmark(
                name: "timer-schedule" + suffix, summary: "one of a million, within \(text)",
                ours: { scheduleTimers(in: TimerWheel(), within: span, $0) },
                rival: "binary heap",
                naive: { scheduleTimers(in: TimerHeap(), within: span, $0) }),
            Benchmark(
                name: "timer-expire" + suffix, summary: "the same, and expired",
                ours: { expireTimers(in: TimerWheel(), within: span, $0) },
                rival: "binary heap",
                naive: { expireTimers(in: TimerHeap(), within: span, $0) }),
        ]
    }
}
