// What the loop knows of the things it drives.

/// What a reactor drives: a session, a server, a connection attempt.
///
/// It becomes ready, expires, flushes and ends. The loop keeps it from `register` to `release` and
/// calls it by its key, so that an event for a source that is gone finds nobody.
protocol EventSource: AnyObject {
    var registry: Registry { get }

    /// Its name in the registry, set by `register`; `none` before.
    var key: SlabKey { get set }

    /// Its descriptor is ready; or, with nothing in `readiness`, it asked by `registry.wake` to be
    /// called.
    func ready(_ readiness: Readiness)

    /// A timer that it armed has come due; the timer's key is stale already. `payload` is what it
    /// gave when it armed the timer.
    func expired(_ timer: TimerKey, payload: UInt32)

    /// The turn ends, and it said `registry.flushLater`.
    func flush()

    /// What was received is about to be overwritten, and it said `registry.forwards`.
    func endForwarding()

    /// The turn has ended, and it said `registry.releaseLater`: gives everything back, tells its
    /// user. Nothing calls it after that.
    func release()

    /// The reactor stops for good: ends now, by `releaseLater`.
    func reactorStops()

    /// The most bytes that its buffers can take.
    var memoryBound: Int { get }
}

extension EventSource {
    func ready(_ readiness: Readiness) {}

    func expired(_ timer: TimerKey, payload: UInt32) {}

    func flush() {}

    func endForwarding() {}

    func release() {}

    func reactorStops() { registry.releaseLater(self) }

    var memoryBound: Int { 0 }
}

extension Registry {
    /// Puts a source under the loop's care in the place of another, whose descriptor it has taken.
    func register(
        _ source: some EventSource, takingOver descriptor: Int32
    ) throws(SystemError) {
        source.key = sources.insert(source)
        do {
            try epoll.modify(descriptor, .readable, token: source.key.rawValue)
        } catch {
            sources.remove(source.key)
            throw error
        }
    }

    /// Takes a descriptor out of epoll and closes it. Closed alone it would stay in there as long
    /// as a child process holds a copy, which each does between fork and exec, and what happens to
    /// it would be reported without end to nobody (epoll(7), questions and answers). Whoever waits
    /// for a descriptor is woken.
    func close(_ descriptor: inout Descriptor, isInEpoll: Bool = true) {
        guard descriptor.isOpen else { return }
        close(descriptor.surrender(), isInEpoll: isInEpoll)
    }

    /// The same by its number, which the caller owned.
    func close(_ descriptor: Int32, isInEpoll: Bool) {
        if isInEpoll { try? epoll.remove(descriptor) }
        sockets.close(descriptor)
        descriptorFreed()
    }

    /// Puts a source under the loop's care and its descriptor, if it has one, into epoll.
    func register(
        _ source: some EventSource, descriptor: Int32?, _ interest: Readiness = .readable
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
