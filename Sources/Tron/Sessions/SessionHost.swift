// What the sessions of one server, client or single attempt share: settings, list, sums, owner.

/// Whoever has sessions: it is told of each one's end.
protocol SessionOwner: AnyObject {
    /// The session is released; its user has not been told yet.
    func sessionEnded(_ session: Session, _ reason: CloseReason)

    /// Asked for by `Session.tellOwnerWhenWritable()`: there is room for more output.
    func sessionIsWritable(_ session: Session)
}

extension SessionOwner {
    func sessionIsWritable(_ session: Session) {}
}

/// The household of an owner's sessions. Keeps the owner alive while it has sessions.
///
/// Sessions are listed without a reference counted to them, which would cost a tenth of a
/// connection: the registry keeps each until its release, which takes it off the list.
///
/// Invariant: the first `count` places are initialised; each session of the list lies at its own
/// `indexInHost`; and the owner is kept exactly while there are any.
@safe
final class SessionHost {
    let settings: SessionSettings
    private let directory: SessionDirectory
    private var directoryKey = SlabKey.none
    /// The owner is released: the host goes with the last session.
    private var isAbandoned = false

    /// The rest is changed in single steps, which call nothing that could reach this host: so the
    /// run-time check for overlapping access is left out.
    @exclusivity(unchecked)
    private var storage = unsafe GrowableStorage<Unmanaged<Session>>(capacity: 4)
    private(set) var count = 0
    /// What the sessions did that have ended.
    @exclusivity(unchecked) private var ended = SessionTotals()
    @exclusivity(unchecked) private var keptOwner: (any SessionOwner)?

    init(_ settings: SessionSettings, in directory: SessionDirectory) {
        self.settings = settings
        self.directory = directory
        directoryKey = directory.hosts.insert(self)
    }

    deinit { unsafe storage.deallocate() }

    var owner: (any SessionOwner)? { unsafe keptOwner }

    func add(_ session: Session, of owner: any SessionOwner) {
        if count == 0 { unsafe keptOwner = owner }
        if unsafe count == storage.capacity {
            unsafe storage = storage.grown(
                keeping: count, atMost: Int(UInt32.max), in: "a host")
        }
        session.indexInHost = UInt32(count)
        unsafe (storage.base + count).initialize(to: .passUnretained(session))
        count += 1
    }

    /// Takes a session that was released off the list, counts it and tells the owner.
    func remove(_ session: Session, _ reason: CloseReason) {
        count -= 1
        let last = unsafe storage.base[count]
        unsafe storage.base[Int(session.indexInHost)] = last
        unsafe last._withUnsafeGuaranteedRef { $0.indexInHost = session.indexInHost }
        unsafe ended.count(session, endedBy: reason)
        if count > 0 {
            unsafe keptOwner?.sessionEnded(session, reason)
        } else {
            let owner = unsafe keptOwner.take()
            retireIfDone()
            owner?.sessionEnded(session, reason)
        }
    }

    /// The owner is released and begins no further session.
    func abandon() {
        isAbandoned = true
        retireIfDone()
    }

    private func retireIfDone() {
        guard isAbandoned, count == 0, directory.hosts.remove(directoryKey) != nil else {
            return
        }
        directory.retire(totals)
    }

    /// Calls `body` with each session there is now. It may do anything to any of them: sessions
    /// leave the list only when they are released, which no handler does.
    func forEach(_ body: (Session) -> Void) {
        for index in 0..<count { body(unsafe storage.base[index].takeUnretainedValue()) }
    }

    /// What the sessions did, those that ended included.
    var totals: SessionTotals {
        var totals = unsafe ended
        forEach { totals.count($0) }
        return totals
    }
}

/// All hosts of a reactor, kept with it. Holds no registry, which holds this.
final class SessionDirectory: ReactorCompanion {
    fileprivate let hosts = Slab<SessionHost>()
    /// What the sessions did of hosts that are gone.
    @exclusivity(unchecked) private var ended = SessionTotals()

    /// A host goes, with what its sessions did.
    fileprivate func retire(_ totals: SessionTotals) { unsafe ended.add(totals) }

    /// What all sessions did, those that ended included.
    var totals: SessionTotals {
        var totals = unsafe ended
        hosts.forEach { _, host in totals.add(host.totals) }
        return totals
    }

    /// Hosts that were not abandoned go, too.
    func end() {
        hosts.forEach { key, host in
            retire(host.totals)
            hosts.remove(key)
        }
    }

    /// Whether there is no session that has not been released.
    var isEmpty: Bool {
        var count = 0
        hosts.forEach { _, host in count += host.count }
        return count == 0
    }

    func forEachSession(_ body: (Session) -> Void) {
        hosts.forEach { _, host in host.forEach(body) }
    }
}

extension Registry {
    var sessions: SessionDirectory { companion { SessionDirectory() } }
}
