// What the documentation of TronMetrics promises.

extension PromisedPlace {
    static let metrics = [
        PromisedPlace(
            "Sources/TronMetrics/MetricsEndpoint.swift",
            [
                Promise(
                    901, "Serves this reactor's counters",
                    by: "MetricsEndpointTests: metrics are answered",
                    "MetricsEndpointTests: HEAD is answered",
                    "MetricsEndpointTests: readiness is told apart",
                    "MetricsTextTests: sessions, packets and refusals"),
                Promise(
                    902, "At most one request is answered a millisecond",
                    by: "MetricsLimitTests: one request is answered",
                    "MetricsPaceTests: the pause is"
                ),
                Promise(
                    903, "the loop times handlers",
                    by: "MetricsEndpointTests: handlers are timed while"),
                Promise(
                    904, "when the kernel refuses the address",
                    by: "MetricsEndpointTests: an address that is taken"),
                Promise(
                    905, "on a port of this machine's own address",
                    by: "MetricsEndpointTests: the form with a port"),
                Promise(
                    906, "it need not be held", "Once is enough.",
                    by: "MetricsEndpointTests: an endpoint serves though"),
                Promise(
                    907, "Stops listening and closes its connections",
                    by: "MetricsEndpointTests: stop ends the connections"),
                Promise(
                    913, "is told of as far as was known", "503 unless all loops turn",
                    by: "MetricsGroupTests: a loop that does not turn",
                    "MetricsGroupTests: a group is ready when",
                    "MetricsGroupTests: a loop whose queue is full"),
                Promise(908, "8 KiB for its header", by: "HTTPRequestTests: limits are exact"),
                Promise(
                    909, "further ones are closed at once",
                    by: "MetricsLimitTests: connections over the limit"),
                Promise(
                    910, "Time from the first byte of a request",
                    by: "MetricsLimitTests: a request that does not end",
                    "MetricsLimitTests: the time of a request begins"),
                Promise(
                    911, "after which a connection is closed",
                    by: "MetricsLimitTests: a silent connection is closed"),
                Promise(
                    912, "Default 128.", "Default 10 s.", "Default 3 min",
                    by: "MetricsEndpointTests: the limits are the documented"),
                Promise(
                    930, "is answered with 500 and how many there are", "Default 3 MiB",
                    by: "MetricsLengthTests: an answer is as long",
                    "MetricsLengthTests: half of an answer's default length",
                    "MetricsEndpointTests: the limits are the documented"),
                Promise(
                    931, "A connection holds at most so many bytes",
                    by: "MetricsLengthTests: who stops reading a long answer",
                    "MetricsLengthTests: long metrics are served whole to who reads slowly",
                    "MetricsLengthTests: long metrics are served whole to who reads, on",
                    "MetricsGroupTests: a group whose metrics are long"),
                Promise(
                    932, "It traps on a `maximumAnswerLength`",
                    by: "MetricsLengthTests: a length of nothing"),
            ]),
        PromisedPlace(
            "Sources/TronMetrics/ExpositionText.swift",
            [
                Promise(
                    914, "It traps on a name or a label", by: "ExpositionTextTests: what is no name"
                ),
                Promise(
                    915, "How many observations were at most as large",
                    by: "ExpositionTextTests: a histogram ends with"),
            ]),
    ]
}
