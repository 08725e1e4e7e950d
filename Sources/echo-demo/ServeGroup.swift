// `echo-demo serve --reactors N`: the same server on several threads.
import Tron

/// Serves as `serve` does, by a group of reactors.
func serveByGroup(_ settings: ServeSettings, _ inherited: InheritedListeners?) throws -> Int32 {
    let group = ReactorGroup(
        count: .exactly(settings.reactors), drainingWithin: .seconds(5)
    ) { reactor, index in
        guard index == 0, let group = reactor.group else { return }
        try reactor.onSignal(.interrupt, .terminate) { _ in group.shutDown() }
        // By then a signal is heard, and whoever reads this line may connect.
        reactor.onEvent { event in
            if case .listening(let address) = event { Terminal.say("listening on \(address)") }
        }
    }
    try listen(settings, inherited, on: group)
    if let supervisor = try Supervisor.ofThisProcess() { group.report(to: supervisor) }
    try runToEnd(group)
    return ExitStatus.success
}

private func listen(
    _ settings: ServeSettings, _ inherited: InheritedListeners?, on group: ReactorGroup
) throws {
    if let address = settings.address {
        try group.listen(on: address, options: settings.options, setup: echo)
        return
    }
    for listener in try handedOver(inherited) {
        try group.listen(on: listener(), options: settings.options, setup: echo)
    }
}

/// Runs the group, whose threads are its own, and waits for it.
private func runToEnd(_ group: ReactorGroup) throws {
    let end = Semaphore()
    // Written before the signal, and read after it.
    nonisolated(unsafe) var failure: (any Error)?
    Task.detached {
        do { try await group.run() } catch { unsafe failure = error }
        end.signal()
    }
    end.wait()
    if let failure = unsafe failure { throw failure }
}
