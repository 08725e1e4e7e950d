// Groups of sessions, such as the rooms of a chat: one call sends to all members.

/// Sessions of one reactor to which one call sends. Belongs to the reactor's thread.
///
///     let room = reactor.makeGroup()
///     room.add(session)
///     room.send(category: 1, data: packet.data, except: session)
///
/// A session may be in any number of groups. It leaves them by itself when it has ended, before its
/// close handler is told. A group keeps no session alive, nor does a session keep its groups; a
/// group that is released lets its members go. To add, to remove and to look one up take the same
/// time however many members and groups there are.
@safe
public final class SessionGroup {
    // Invariant: each member has a membership with this group that names its place in `members`. As
    // in a `SessionHost`, no reference is counted: the registry keeps each session until its
    // release, which takes it out of its groups.

    private let registry: Registry

    /// Changed in single steps, which call nothing that could reach this group: so the run-time
    /// check for overlapping access is left out.
    @exclusivity(unchecked) private var members: [Unmanaged<Session>] = unsafe []

    init(_ registry: Registry) { self.registry = registry }

    deinit {
        let id = ObjectIdentifier(self)
        for place in 0..<count { unsafe members[place]._withUnsafeGuaranteedRef { $0.forget(id) } }
    }

    /// How many members there are.
    public var count: Int { unsafe members.count }

    /// Whether the session is a member.
    public func contains(_ session: Session) -> Bool {
        registry.requireLoop("SessionGroup.contains(_:)")
        return session.place(in: ObjectIdentifier(self)) != nil
    }

    /// Makes the session a member, and says whether that changed anything: not when it is one
    /// already, or has ended. Traps on a session of another reactor.
    @discardableResult
    public func add(_ session: Session) -> Bool {
        registry.requireLoop("SessionGroup.add(_:)")
        demand(
            session.registry === registry, "SessionGroup.add(_:): a session of another reactor")
        guard !session.hasEnded, !contains(session) else { return false }
        session.remember(self, at: count)
        unsafe members.append(.passUnretained(session))
        return true
    }

    /// Lets the session go, and says whether it was a member.
    @discardableResult
    public func remove(_ session: Session) -> Bool {
        registry.requireLoop("SessionGroup.remove(_:)")
        let id = ObjectIdentifier(self)
        guard let place = session.place(in: id) else { return false }
        session.forget(id)
        vacate(place)
        return true
    }

    /// Calls `body` with each of the sessions that are members now, unless it has left by its turn.
    /// `body` may do anything, to the group as well; those who join meanwhile are not visited.
    public func forEach(_ body: (Session) -> Void) {
        registry.requireLoop("SessionGroup.forEach")
        let present = unsafe members.map { unsafe $0.takeUnretainedValue() }
        for session in present where contains(session) { body(session) }
    }

    /// The last member takes the place of one that has left. Memory stays in proportion to the
    /// members there are.
    fileprivate func vacate(_ place: Int) {
        let last = unsafe members.removeLast()
        if unsafe place < members.count {
            unsafe members[place] = last
            unsafe last._withUnsafeGuaranteedRef { $0.move(to: place, in: ObjectIdentifier(self)) }
        }
        if unsafe members.capacity > 64, unsafe members.count < members.capacity / 4 {
            unsafe members = members.map { unsafe $0 }
        }
    }

    /// Calls `body`, which calls no handler, with each member but `except`; and then `refused`,
    /// which may do anything, with those that did not take it.
    func count(
        except: Session?, _ body: (Session) -> SendOutcome,
        refused: (Session, SendOutcome) -> Void
    ) -> SendCounts {
        var refusals: [(Session, SendOutcome)] = []
        let counts = count(except: except) { session in
            let outcome = body(session)
            if !outcome.isQueued { refusals.append((session, outcome)) }
            return outcome
        }
        for (session, outcome) in refusals { refused(session, outcome) }
        return counts
    }

    /// Calls `body`, which calls no handler, with each member but `except`.
    @inline(__always)
    func count(except: Session?, _ body: (Session) -> SendOutcome) -> SendCounts {
        registry.requireLoop("SessionGroup.send")
        var counts = SendCounts()
        for place in 0..<count {
            let outcome = unsafe members[place]._withUnsafeGuaranteedRef { session in
                session === except ? nil : body(session)
            }
            if let outcome { counts.add(outcome) }
        }
        return counts
    }
}

extension Reactor {
    /// Makes a group for sessions of this reactor. It has no member. On the loop's thread.
    public func makeGroup() -> SessionGroup {
        registry.requireLoop("Reactor.makeGroup()")
        return SessionGroup(registry)
    }
}

// MARK: - A session's side

/// A session's standing in a group.
@safe
struct Membership {
    fileprivate let group: Unmanaged<SessionGroup>
    fileprivate var place: Int
}

extension Session {
    fileprivate func place(in group: ObjectIdentifier) -> Int? {
        unsafe rareState?.memberships[group]?.place
    }

    fileprivate func remember(_ group: SessionGroup, at place: Int) {
        let membership = unsafe Membership(group: .passUnretained(group), place: place)
        unsafe rare.memberships[ObjectIdentifier(group)] = membership
    }

    fileprivate func forget(_ group: ObjectIdentifier) {
        unsafe rareState?.memberships[group] = nil
    }

    fileprivate func move(to place: Int, in group: ObjectIdentifier) {
        unsafe rareState?.memberships[group]?.place = place
    }

    /// The session has ended.
    func leaveGroups() {
        guard let memberships = unsafe rareState?.memberships, !memberships.isEmpty else { return }
        unsafe rareState?.memberships = [:]
        for membership in memberships.values {
            unsafe membership.group._withUnsafeGuaranteedRef { $0.vacate(membership.place) }
        }
    }
}
