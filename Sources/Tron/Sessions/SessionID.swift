// The names of sessions: for other threads, and for later.

/// Names a session, also after it is gone: an id is never given to another one, of this reactor or
/// of another one of the process.
public struct SessionID: Hashable, Sendable, CustomStringConvertible {
    /// `Registry.number` of its reactor.
    let reactor: UInt32
    let key: SlabKey

    /// Slot and generation, `12.3`: short, for logs, and different for all sessions of a reactor.
    public var description: String { "\(key.index).\(key.generation)" }
}

extension Reactor {
    /// The session of this name; nil once it has ended, and for a session of another reactor. On
    /// the loop's thread.
    public func session(_ id: SessionID) -> Session? {
        registry.requireLoop("Reactor.session(_:)")
        return id.reactor == registry.number ? registry.session(id.key) : nil
    }
}

extension Registry {
    /// The one place where a source is asked whether it is a session: what names it may come from
    /// anywhere.
    func session(_ key: SlabKey) -> Session? { sources[key] as? Session }

    func sessionID(_ key: SlabKey) -> SessionID { SessionID(reactor: number, key: key) }
}
