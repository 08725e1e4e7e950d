// Signals as events of the loop.

extension Reactor {
    /// Calls `action` on the loop whenever one of these signals arrives, in place of what the
    /// signal does by default. A further call adds signals, or replaces the action of some.
    ///
    /// The signals are blocked for the calling thread, and for those that it starts later, until
    /// the reactor has stopped. So call this first, on the main thread: a thread that already runs
    /// would still be interrupted by them. SIGPIPE needs no handling: the reactor never raises it.
    /// - Throws: `SystemError` when no descriptor is free.
    public func onSignal(
        _ signals: Signal..., action: @escaping (Signal) -> Void
    ) throws(SystemError) {
        registry.requireLoop("Reactor.onSignal")
        demand(!isFinished, "Reactor.onSignal was called after the reactor had stopped")
        if signalSource == nil { signalSource = try SignalSource(watching: registry) }
        for signal in signals { try signalSource?.add(signal, action) }
    }
}

/// Owns the signalfd and the signals' actions.
final class SignalSource: EventSource {
    private var descriptor: SignalDescriptor
    private var actions: [Signal: (Signal) -> Void] = [:]

    init(watching registry: Registry) throws(SystemError) {
        descriptor = try SignalDescriptor(kernel: registry.kernel)
        super.init(registry: registry)
        try registry.register(self, descriptor: descriptor.number)
    }

    func add(_ signal: Signal, _ action: @escaping (Signal) -> Void) throws(SystemError) {
        // Released with a reactor that ends, whose other sources are just being told.
        guard registry.sources[key] != nil else { return }
        try descriptor.add(signal)
        actions[signal] = action
    }

    override func ready(_ readiness: Readiness) {
        do throws(SystemError) {
            while let signal = try descriptor.take() { actions[signal]?(signal) }
        } catch {
            registry.failure = error
        }
    }

    override func release() {
        descriptor.close()
        actions = [:]
    }
}
