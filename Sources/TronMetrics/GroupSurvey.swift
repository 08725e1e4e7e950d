// What the reactors of a group are asked for by the one of them that serves metrics.
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
        let own = reactor.remote
        let count = RollCall(of: remotes.count, on: reactor, within: Self.patience, completion)
        for remote in remotes {
            if remote === own {
                count.isHere()
                continue
            }
            let submission = remote.submit { _ in own.submit { _ in count.isHere() } }
            if submission == .stopped { count.isHere() }
        }
    }

    /// The group's reactors are set up one after another, and this one is perhaps the first.
    private func startTiming() {
        if haveAllMeters { return }
        haveAllMeters = group.remotes.count == group.count
        group.submitToAll { [meters] reactor in
            if meters[reactor] == nil { meters[reactor] = reactor.makeMeter() }
        }
    }
}

/// Who has answered so far. Only the loop of the reactor that asks touches it.
private final class RollCall: @unchecked Sendable {
    private var missing: Int
    private var completion: ((Bool) -> Void)?
    private var timer: ScheduledTimer?

    init(
        of count: Int, on reactor: Reactor, within patience: Duration,
        _ completion: @escaping (Bool) -> Void
    ) {
        missing = count
        self.completion = completion
        timer = reactor.schedule(after: patience) { self.end(false) }
    }

    func isHere() {
        missing -= 1
        if missing == 0 { end(true) }
    }

    private func end(_ areAllHere: Bool) {
        timer.take()?.cancel()
        completion.take()?(areAllHere)
    }
}
