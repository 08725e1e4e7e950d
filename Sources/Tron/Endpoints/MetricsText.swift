// What a reactor counts, as the metrics that `/metrics` is answered with.

extension Reactor {
    /// Its metrics in Prometheus' text format.
    var metricsText: [UInt8] {
        var text = ExpositionText()
        text.gauge(
            "tron_memory_bound_bytes",
            "The most memory that the buffers can take, by their limits.", memoryBound)
        return text.bytes
    }
}
