// What the loop knows of the things it drives.

/// Something that becomes ready, expires, flushes and ends. The loop keeps it from `register` to
/// `release` and calls it by its key, so that an event for a source that is gone finds nobody.
class EventSource {
    final let registry: Registry
    final fileprivate(set) var key = SlabKey(rawValue: 0)

    init(registry: Registry) { self.registry = registry }

    /// Its descriptor is ready; or it asked with `registry.wake` to be called in the next turn.
    func ready(_ readiness: Readiness) {}

    /// A timer that it armed has come due; the key is stale already.
    func expired(_ timer: TimerKey) {}

    /// The turn ends, and it said `registry.flushLater`.
    func flush() {}

    /// The turn has ended, and it said `registry.releaseLater`: gives everything back, tells its
    /// user. Nothing calls it after that.
    func release() {}

    /// The reactor stops for good: ends now, by `releaseLater`.
    func reactorStops() {}
}

extension Registry {
    /// Puts a source under the loop's care and its descriptor, if it has one, into epoll.
    func register(
        _ source: EventSource, descriptor: Int32?, _ interest: Readiness = .readable
    ) throws(SystemError) {
        source.key = sources.insert(source)
        guard let descriptor else { return }
        do {
            try epoll.add(descriptor, interest, token: source.key.rawValue)
        } catch {
            sources.remove(source.key)
            throw error
        }
    }
}
