// What the documentation of the backoff and the histogram promises.

extension PromisedPlace {
    static let storage = [
        PromisedPlace(
            "Sources/Tron/Storage/Backoff.swift",
            [
                Promise(
                    201, "as a pure function of the attempt's number",
                    by: "BackoffTests: one seed gives one sequence", "BackoffTests: 3 s and"),
                Promise(
                    202, "Exactly the delay.", "Anything between nothing and the delay.",
                    "drawn anew each time", by: "BackoffTests: jitter stays in its range"),
                Promise(
                    203, "Jitter never draws less", by: "BackoffTests: jitter never draws less"),
                Promise(204, "The delay before the first attempt.", by: "BackoffTests: 3 s and"),
                Promise(
                    205, "Traps on values outside", "multiplier: Finite, and at least 1",
                    "attempts: At least 1", by: "BackoffTests: values outside",
                    "MisuseTests: misuse ends the process"),
                Promise(
                    206, "cap: At least `initial`", by: "BackoffTests: no delay is over the cap",
                    "BackoffTests: values outside"),
                Promise(
                    207, "what is less counts as 1", "Nil when the attempts are used up",
                    by: "BackoffTests: an attempt below the first",
                    "BackoffTests: the delays end after the last"),
            ]),
        PromisedPlace(
            "Sources/Tron/Storage/Histogram.swift",
            [
                Promise(
                    208, "exact below 2^`significantBits`",
                    by: "HistogramTests: small values are told exactly"),
                Promise(209, "it wraps around", by: "HistogramTests: the sum of the values wraps"),
                Promise(
                    210, "The largest value, exactly",
                    by: "HistogramTests: percentiles, counts and sums",
                    "HistogramTests: what exceeds the limit", "HistogramTests: an empty one"),
                Promise(
                    211, "is exact only when it exceeds",
                    by: "HistogramTests: two of them add, and a later"),
                Promise(
                    212, "at most `maximum`", by: "HistogramTests: percentiles, counts and sums",
                    "HistogramTests: what exceeds the limit", "HistogramTests: an empty one"),
                Promise(
                    213, "share the last bucket", by: "HistogramTests: what exceeds the limit"),
            ]),
    ]
}
