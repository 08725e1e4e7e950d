// Signals as events of the loop.

extension Reactor {
    /// Calls `action` on the loop whenever one of these signals arrives, in place of what the
    /// signal did before. Another call adds signals, or replaces the action of some.
    ///
    /// Any thread may run the loop, and a signal may interrupt any thread: an async `main` is fine.
    /// No signal is blocked. One that all threads of the process have blocked does not arrive; a
    /// thread begins with the mask of the thread that started it, the first one with that of the
    /// program that started the process (pthread_sigmask(3)).
    ///
    /// - A signal that arrives several times before the loop looks is told once. That holds for the
    ///   real-time signals too (`SIGRTMIN` to `SIGRTMAX`), whose values are not told.
    /// - Several reactors may watch the same signal: each is told.
    /// - A handler that the application installed before is not called meanwhile. When the last
    ///   reactor that watches the signal has ended, that handler or the default action is back,
    ///   unless the application has installed another one since.
    /// - What arrives before the loop ends is told before `run()` returns. A reactor that never ran
    ///   raises again what arrived for it.
    /// - A system call that a signal interrupts is restarted, but for those that never are, like
    ///   `poll` and `nanosleep`: see signal(7).
    /// - A program that is started with `posix_spawn` or `exec` begins with the default actions. In
    ///   a child of `fork` that has not called `exec`, a signal does what it did before, and this
    ///   process is not told of it.
    ///
    /// SIGPIPE needs no handling: the reactor never raises it.
    /// - Throws: `SystemError` when no descriptor is free; with the code `EUSERS` when 256 reactors
    ///   of the process watch signals already; with `EINVAL` for a signal that cannot be watched:
    ///   SIGKILL and SIGSTOP, those that tell of a fault in the thread itself (SIGILL, SIGTRAP,
    ///   SIGBUS, SIGFPE, SIGSEGV, SIGSYS), and those that the C library keeps for itself. The
    ///   signals named before the refused one are watched.
    public func onSignal(
        _ signals: Signal..., action: @escaping (Signal) -> Void
    ) throws(SystemError) {
        registry.requireLoop("Reactor.onSignal")
        demand(!isFinished, "Reactor.onSignal was called after the reactor had stopped")
        if signalSource == nil { signalSource = try SignalSource(watching: registry) }
        for signal in signals { try signalSource?.add(signal, action) }
    }
}

/// Owns the watch for signals and their actions.
final class SignalSource: EventSource {
    let registry: Registry
    var key = SlabKey.none
    private var watch: SignalWatch?
    private var actions: [Signal: (Signal) -> Void] = [:]
    private var hasEnded = false

    init(watching registry: Registry) throws(SystemError) {
        let watch = try SignalWatch(kernel: registry.kernel)
        let descriptor = watch.number
        self.watch = consume watch
        self.registry = registry
        try registry.register(self, descriptor: descriptor)
    }

    func add(_ signal: Signal, _ action: @escaping (Signal) -> Void) throws(SystemError) {
        // A reactor that ends watches nothing anew.
        guard !hasEnded else { return }
        try watch?.add(signal)
        // What the former one held may call back when it goes.
        _ = actions.updateValue(action, forKey: signal)
    }

    func ready(_ readiness: Readiness) {
        do throws(SystemError) {
            try watch?.drain()
            tell()
        } catch {
            registry.failure = error
        }
    }

    /// The loop ends: tells what has arrived. Later signals do what they did before.
    func loopEnds() {
        hasEnded = true
        watch?.stop()
        tell()
    }

    /// Calls the actions of the signals that have arrived.
    private func tell() {
        for signal in watch?.take() ?? [] { actions[signal]?(signal) }
    }

    func release() {
        hasEnded = true
        watch = nil
        _ = exchange(&actions, with: [:])
    }
}
