// The names of sessions: for other threads, and for later.

/// Names a session, also after it is gone: an id is never given to another one of its reactor.
public struct SessionID: Hashable, Sendable, CustomStringConvertible {
    let key: SlabKey

    /// Slot and generation, `12.3`.
    public var description: String { "\(key.index).\(key.generation)" }
}

extension Reactor {
    /// The session of this name; nil once it has ended. On the loop's thread.
    public func session(_ id: SessionID) -> Session? {
        registry.requireLoop("Reactor.session(_:)")
        return registry.session(id.key)
    }
}

extension Registry {
    /// The one place where a source is asked whether it is a session: what names it may come from
    /// anywhere.
    func session(_ key: SlabKey) -> Session? { sources[key] as? Session }
}
