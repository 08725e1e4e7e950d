// What a node counts, for those who watch it.
import Tron
import TronMetrics

extension Node {
    /// What `/metrics` tells of the node beside what Tron counts.
    func write(to metrics: inout ExpositionText) {
        let count = counters
        metrics.counter(
            "cluster_messages_published_total", "Messages that sessions here published.",
            count.published)
        metrics.counter(
            "cluster_messages_forwarded_total", "Of these, those that went to the broker.",
            count.forwarded)
        metrics.counter(
            "cluster_messages_received_total", "Messages of other nodes.", count.received)
        metrics.counter(
            "cluster_messages_delivered_total",
            "Messages queued for sessions, each as often as it had receivers here.",
            count.delivered)
        metrics.counter(
            "cluster_messages_dropped_total",
            "Messages not queued for sessions that did not read, and told to them as gaps.",
            count.dropped)
        metrics.counter(
            "cluster_messages_late_total", "Messages out of their order, which are dropped.",
            count.late)
        metrics.counter(
            "cluster_payloads_malformed_total", "Payloads that no node sends.", count.malformed)
        metrics.counter(
            "cluster_answers_refused_total", "Answers not queued, for which sessions ended.",
            count.unanswered)
        metrics.counter(
            "cluster_sessions_behind_total", "How often a session fell behind.", count.fellBehind)
        metrics.counter(
            "cluster_gaps_total", "Gaps that topics' subscribers were told.", count.gaps)
        metrics.gauge("cluster_topics_subscribed", "Topics with a session here.", subscribed.count)
        metrics.gauge("cluster_broker_ready", "Whether the broker answers.", broker.isReady ? 1 : 0)
        metrics.gauge("cluster_broker_waiting_bytes", "Bytes for the broker.", broker.waitingBytes)
    }
}
