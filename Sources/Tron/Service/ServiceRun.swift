// One run of a service: its reactors, each on a thread of its own, which end together.

/// Runs one reactor or several, and ends them: the first request drains them all, the second stops
/// them at once, and where one has failed the others are stopped.
final class ServiceRun: Sendable {
    private struct Member: Sendable {
        let remote: RemoteReactor
        /// `Registry.number`.
        let number: UInt32
        /// Whether there is something to drain.
        var isBegun = false
    }

    private struct State: Sendable {
        /// Those that are set up.
        var reactors: [Member?]
        var requests = 0
        /// All are to drain: it has been asked for, or one has ended.
        var isEnding = false
        /// Those that serve have been told to drain.
        var drains = false
        /// Those whose drains have ended, or that have ended altogether, by their numbers; and what
        /// lets those say their farewells that wait for the others.
        var drained: Set<UInt32> = []
        var farewells: [@Sendable () -> Void] = []
        /// How many have not ended.
        var left: Int
        var failure: (any Error)?
        var report = DrainReport()
        var completion: (@Sendable (Result<DrainReport, any Error>) -> Void)?

        /// All of them, once, when they are to drain and can.
        mutating func takeDrain() -> [Member] {
            let members = reactors.compactMap(\.self)
            guard isEnding, !drains, members.count == reactors.count,
                members.allSatisfy(\.isBegun)
            else { return [] }
            drains = true
            return members
        }
    }

    let drain: DrainTimes
    private let state: Locked<State>

    init(count: Int, _ drain: DrainTimes) {
        self.drain = drain
        state = Locked(State(reactors: Array(repeating: nil, count: count), left: count))
    }

    /// Calls `body` for each reactor on its thread. Returns when all have ended, with what their
    /// drains came to; throws what the first threw that failed. Cancelling the task is a request.
    func perform(
        by kernel: Kernel, _ body: @escaping @Sendable (Int) throws -> Void
    ) async throws -> DrainReport {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                begin(kernel, body) { continuation.resume(with: $0) }
            }
        } onCancel: {
            shutDown()
        }
    }

    private func begin(
        _ kernel: Kernel, _ body: @escaping @Sendable (Int) throws -> Void,
        _ completion: @escaping @Sendable (Result<DrainReport, any Error>) -> Void
    ) {
        let count = state.withLock { state in
            state.completion = completion
            return state.reactors.count
        }
        for index in 0..<count {
            do {
                try startThread(by: kernel) { self.ended(Result { try body(index) }) }
            } catch {
                for _ in index..<count { ended(.failure(error)) }
                return
            }
        }
    }

    /// A reactor is set up: from now on it can be stopped.
    func joined(_ reactor: Reactor, at index: Int) {
        let member = Member(remote: reactor.remote, number: reactor.registry.number)
        let isToStop = state.withLock { state in
            state.reactors[index] = member
            return state.failure != nil || state.requests > 1 || state.left < state.reactors.count
        }
        if isToStop { member.remote.stop() }
    }

    /// It serves: from now on it can be drained. What was asked for before is done when all serve:
    /// one that has nothing to drain would end before the others can, and end them.
    func began(at index: Int) {
        let members = state.withLock { state in
            state.reactors[index]?.isBegun = true
            return state.takeDrain()
        }
        for member in members { drain(member) }
    }

    /// Something has failed that is to end them all.
    func fail(_ error: any Error) {
        let isFirst = state.withLock { state in
            defer { state.failure = state.failure ?? error }
            return state.failure == nil
        }
        if isFirst { for remote in remotes { remote.stop() } }
    }

    /// One has ended. Where nobody has asked for it, the others end, too: at once if it has failed,
    /// or where not all have begun, which then none can any more; else by a drain, after which a
    /// request is still the first.
    func ended(_ result: Result<Void, any Error>) {
        if case .failure(let error) = result { fail(error) }
        let (isToDrain, members) = state.withLock { state in
            state.left -= 1
            defer {
                state.isEnding = true
                state.drains = true
            }
            return (!state.drains && state.failure == nil, state.reactors.compactMap(\.self))
        }
        for member in members where !member.isBegun { member.remote.stop() }
        if isToDrain { for member in members where member.isBegun { drain(member) } }
        complete()
    }

    private func complete() {
        let (completion, result) = state.withLock { state in
            let completion = state.left == 0 ? state.completion.take() : nil
            let failure = state.failure.map { Result<DrainReport, any Error>.failure($0) }
            return (completion, failure ?? .success(state.report))
        }
        completion?(result)
    }

    /// Asks for the end.
    func shutDown() {
        let (isAgain, members) = state.withLock { state in
            state.requests += 1
            state.isEnding = true
            let isAgain = state.requests > 1
            return (isAgain, isAgain ? state.reactors.compactMap(\.self) : state.takeDrain())
        }
        for member in members {
            if isAgain { member.remote.stop() } else { drain(member) }
        }
    }

    /// A reactor that has stopped meanwhile refuses it.
    private func drain(_ member: Member) {
        _ = member.remote.submitAlways { [self] reactor in
            reactor.drain(drain) { [self] report, farewell in
                state.withLock { $0.report.add(report) }
                drained(member.number, farewell)
            }
        }
    }

    /// The reactor of this index, which others drive, has ended.
    func ended(at index: Int) {
        let number = state.withLock { $0.reactors[index]?.number }
        if let number { drained(number) {} }
    }

    /// None says its farewell before all have drained: what makes the replies that one owes may be
    /// on another.
    private func drained(_ number: UInt32, _ farewell: @escaping @Sendable () -> Void) {
        let farewells: [@Sendable () -> Void] = state.withLock { state in
            state.drained.insert(number)
            state.farewells.append(farewell)
            let areAll = state.reactors.allSatisfy { member in
                member.map { state.drained.contains($0.number) } ?? true
            }
            guard areAll else { return [] }
            defer { state.farewells = [] }
            return state.farewells
        }
        for farewell in farewells { farewell() }
    }

    // MARK: What others want to know

    /// Those that are set up, in the order of their indices.
    var remotes: [RemoteReactor] { state.withLock { $0.reactors.compactMap { $0?.remote } } }

    /// The reactor that a session belongs to, and its index.
    func reactor(of session: SessionID) -> (index: Int, remote: RemoteReactor)? {
        state.withLock { state in
            state.reactors.firstIndex { $0?.number == session.reactor }.flatMap { index in
                state.reactors[index].map { (index, $0.remote) }
            }
        }
    }

    /// The reactor of this index, once it is set up.
    func reactor(at index: Int) -> RemoteReactor? { state.withLock { $0.reactors[index]?.remote } }
}
