// A reactor's place in its group, and what it tells of it.

extension Reactor {
    /// The group that this reactor is one of; nil for any other. On the loop's thread, or before it
    /// runs.
    public var group: ReactorGroup? {
        registry.requireLoop("Reactor.group")
        return registry.groupMembership.group
    }

    /// Its index in its group, from 0; nil without one. On the loop's thread, or before it runs.
    public var indexInGroup: Int? {
        registry.requireLoop("Reactor.indexInGroup")
        return registry.groupMembership.index
    }
}

/// A reactor's place in its group, kept with the reactor.
final class GroupMembership: ReactorCompanion {
    private(set) var group: ReactorGroup?
    private(set) var index: Int?
    var servers: [Server] = []

    func join(_ group: ReactorGroup, _ index: Int) {
        self.group = group
        self.index = index
    }

    func end() {
        group = nil
        servers = []
    }
}

extension Registry {
    var groupMembership: GroupMembership { companion { GroupMembership() } }
}
