// What the reactors of a group are asked for by the one of them that serves metrics.
import Synchronization
import Tron

/// Asks all reactors of a group, and goes on meanwhile: none waits for another. Belongs to the
/// thread of the reactor that asks.
final class GroupSurvey {
    /// For how long a reactor may not answer. Less than whoever asks for metrics waits.
    static let patience = Duration.seconds(1)

    private unowned let reactor: Reactor
    private let group: ReactorGroup
    /// Never read: each reactor times its handlers as long as it has one.
    private let meters = ReactorLocal<Meter>()
    private var haveAllMeters = false

    /// Nil for a reactor that is none of a group's.
    init?(of reactor: Reactor) {
        guard let group = reactor.group else { return nil }
        self.reactor = reactor
        self.group = group
    }

    deinit { group.submitToAll { [meters] in meters[$0] = nil } }

    var isReady: Bool { group.isReady }

    /// What the group has done; of a reactor that does not answer, as far as was known.
    func snapshot(_ completion: @escaping (GroupSnapshot) -> Void) {
        startTiming()
        group.snapshot(on: reactor, within: Self.patience, completion: completion)
    }

    /// Whether all loops turn. One that has ended, as the others do soon, does not count.
    func allTurn(_ completion: @escaping (Bool) -> Void) {
        let remotes = group.remotes
        guard remotes.count == group.count else { return completion(false) }
        RollCall(of: remotes, on: reactor, completion).begin(within: Self.patience)
    }

    /// The group's reactors are set up one after another, and this one is perhaps the first.
    private func startTiming() {
        if haveAllMeters { return }
        let asked = group.submitToAll { [meters] reactor in
            if meters[reactor] == nil { meters[reactor] = reactor.makeMeter() }
        }
        haveAllMeters = asked.count == group.count && !asked.contains(.tooMuchWaits)
    }
}

/// Asks reactors until each has answered, or for as long as the patience lasts. It belongs to the
/// loop of the reactor that asks.
private final class RollCall {
    /// After how long it looks again: a queue that was full, also for an answer, has room once its
    /// loop has turned.
    private static let interval = Duration.milliseconds(50)

    /// Those that have answered, by their indices.
    private final class Present: Sendable {
        let indices = Mutex<Set<Int>>([])

        func add(_ index: Int) { indices.withLock { _ = $0.insert(index) } }

        var count: Int { indices.withLock { $0.count } }
    }

    private unowned let reactor: Reactor
    private let remotes: [RemoteReactor]
    private let present = Present()
    /// By which the others know it: what the completion holds stays on its thread.
    private let calls = ReactorLocal<RollCall>()
    private var unasked: Set<Int>
    private var completion: ((Bool) -> Void)?
    private var timers: [ScheduledTimer] = []

    init(
        of remotes: [RemoteReactor], on reactor: Reactor, _ completion: @escaping (Bool) -> Void
    ) {
        self.reactor = reactor
        self.remotes = remotes
        self.completion = completion
        unasked = Set(remotes.indices)
    }

    func begin(within patience: Duration) {
        calls[reactor] = self
        timers = [
            reactor.schedule(after: patience) { self.end(false) },
            reactor.schedule(after: Self.interval, repeating: Self.interval) { self.ask() },
        ]
        ask()
    }

    /// Those whose queues were full before.
    private func ask() {
        for index in unasked {
            switch submit(index) {
            case .accepted: unasked.remove(index)
            case .tooMuchWaits: break
            case .stopped:
                unasked.remove(index)
                present.add(index)
            }
        }
        count()
    }

    private func submit(_ index: Int) -> Submission {
        remotes[index].submit { [own = reactor.remote, present, calls] _ in
            present.add(index)
            _ = own.submit { calls[$0]?.count() }
        }
    }

    private func count() {
        if present.count == remotes.count { end(true) }
    }

    private func end(_ areAllHere: Bool) {
        for timer in timers { timer.cancel() }
        timers = []
        calls[reactor] = nil
        completion.take()?(areAllHere)
    }
}
