// How the numbers of several reactors are gathered, by a task or on one of their loops.

extension ReactorGroup {
    /// What the group has done so far: waits for every reactor that runs, so for a turn of each.
    /// From any task; one that is cancelled waits all the same.
    public func snapshot() async -> GroupSnapshot {
        var taken: [ReactorSnapshot?] = []
        for index in 0..<count { taken.append(await run.reactor(at: index)?.snapshot()) }
        return keep(taken)
    }

    /// The same for a reactor, which goes on meanwhile: `completion` is called on its loop, once,
    /// when all others have answered, or when so much time has passed with what there is; not where
    /// it ends before. Default 1 s: less than whoever asks for metrics waits. `reactor` need not be
    /// one of the group's. On its loop's thread.
    public func snapshot(
        on reactor: Reactor, within limit: Duration = .seconds(1),
        completion: @escaping (GroupSnapshot) -> Void
    ) {
        reactor.registry.requireLoop("ReactorGroup.snapshot(on:within:completion:)")
        // The others know it by this alone: what the completion holds stays on its thread.
        let gatherings = ReactorLocal<Gathering>()
        let gathering = Gathering(count: count) { [self] in
            gatherings[reactor] = nil
            completion(keep($0))
        }
        gatherings[reactor] = gathering
        let remote = reactor.remote
        for index in 0..<count {
            let asked = run.reactor(at: index)
            if asked === remote {
                gathering.add(reactor.snapshot(), at: index)
                continue
            }
            let isAsked = asked?.submitAlways { other in
                let snapshot = other.snapshot()
                _ = remote.submitAlways { gatherings[$0]?.add(snapshot, at: index) }
            }
            if isAsked != true { gathering.add(nil, at: index) }
        }
        gathering.wait(atMost: limit, on: reactor)
    }

    /// Keeps what is new, and puts in what is known of the others.
    private func keep(_ taken: [ReactorSnapshot?]) -> GroupSnapshot {
        let known = lastSnapshots.withLock { last in
            for (index, snapshot) in taken.enumerated() {
                guard let snapshot, last[index].map({ $0.time <= snapshot.time }) ?? true else {
                    continue
                }
                last[index] = snapshot
            }
            return last
        }
        return GroupSnapshot(zip(known, taken).map { ($0, $1 != nil) })
    }

    /// A reactor has ended: its numbers stay in the sums.
    func keepLastSnapshot(of reactor: Reactor, at index: Int) {
        let snapshot = reactor.snapshot()
        lastSnapshots.withLock { $0[index] = snapshot }
    }
}

/// What has been gathered so far, on the loop of the reactor that asks.
private final class Gathering {
    private var taken: [ReactorSnapshot?]
    private var left: Int
    private var completion: (([ReactorSnapshot?]) -> Void)?
    private var limit: ScheduledTimer?

    init(count: Int, _ completion: @escaping ([ReactorSnapshot?]) -> Void) {
        taken = Array(repeating: nil, count: count)
        left = count
        self.completion = completion
    }

    func add(_ snapshot: ReactorSnapshot?, at index: Int) {
        taken[index] = snapshot
        left -= 1
        if left == 0 { end() }
    }

    /// With what there is, once.
    private func end() {
        limit?.cancel()
        completion.take()?(taken)
    }

    /// Has it end after so long, if it has not before.
    func wait(atMost time: Duration, on reactor: Reactor) {
        guard completion != nil else { return }
        limit = reactor.schedule(after: time) { [self] in end() }
    }
}
