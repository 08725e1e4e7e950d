// The beginning of a drain: who has connected already is served, before the listener is closed.

/// How far a server is that stops listening without a reset for whoever waits.
///
/// Invariant: a timer is set while handshakes may end, while it accepts as fast as it may, and
/// while something is on its way from other reactors.
struct Emptying {
    fileprivate(set) var timer = TimerKey.none
    /// Handshakes that were under way have had their time.
    fileprivate(set) var isWindowOver = false
    /// It is called in the next turn.
    fileprivate var isWoken = false
}

extension Server {
    /// Tells the timer of a server that is emptied from that of one that rests.
    static let emptyingTimer: UInt32 = 1
    /// How long a server waits before it looks again whether something is on its way to it.
    private static let pause: Int64 = 10_000_000

    /// Nobody new may connect from now on. With `ServerOptions.drainWindow` it still accepts who
    /// has, or is about to; `listenerEnded` of its drains says when that is over.
    func stopAccepting() {
        guard accepting.isListening, !isEmptying else { return }
        guard let window = options.drainWindow else { return stopListening() }
        share?.close()
        emptying = Emptying()
        guard descriptor.isOpen, !isInherited else {
            closeListener()
            return endEmptyingIfDone()
        }
        // A Unix socket has no handshakes. Where the kernel refuses, what waits now is accepted,
        // and what comes until the close is reset.
        if refuseConnections(), !address.isUnix {
            emptying?.timer = registry.arm(
                key, at: registry.kernel.now() + window.clampedNanoseconds,
                payload: Self.emptyingTimer)
        } else {
            endWindow()
        }
    }

    private func refuseConnections() -> Bool {
        do throws(SystemError) {
            if address.isUnix {
                removeFile()
                try descriptor.shutdownReading()
            } else {
                try descriptor.dropNewConnections()
            }
            return true
        } catch {
            return false
        }
    }

    private func endWindow() {
        emptying?.isWindowOver = true
        lookAgain()
    }

    /// Looks for what still waits: in the next turn, or as soon as it may accept again. That nobody
    /// waits is told by no event.
    func lookAgain() {
        guard let emptying, emptying.isWindowOver, descriptor.isOpen else { return }
        guard let time = accepting.resumption(registry.now) else {
            if !emptying.isWoken { registry.wake(self) }
            self.emptying?.isWoken = true
            return
        }
        cannotAccept()
        guard emptying.timer == .none else { return }
        self.emptying?.timer = registry.arm(key, at: time, payload: Self.emptyingTimer)
    }

    /// The timer of the window, or of what is on its way.
    func emptyingExpired() {
        emptying?.timer = .none
        guard descriptor.isOpen else { return endEmptyingIfDone() }
        endWindow()
    }

    /// It was called.
    func noteWake() { emptying?.isWoken = false }

    /// Whoever waits has to wait longer: the sessions need not.
    func cannotAccept() {
        if emptying?.isWindowOver == true { tellDrains { $0.tellSoon() } }
    }

    /// Nobody waits to be accepted now.
    func queueIsEmpty() {
        guard let emptying, emptying.isWindowOver else { return }
        closeListener()
        tellDrains { $0.tellSoon() }
        endEmptyingIfDone()
    }

    /// Ends it once nothing is to come any more: neither from the listener, nor from other
    /// reactors, nor a PROXY header.
    func endEmptyingIfDone() {
        guard let emptying, !descriptor.isOpen, arrivalCount == 0 else { return }
        guard share?.isSentMore == true else { return stopListening() }
        if emptying.timer == .none {
            self.emptying?.timer = registry.arm(
                key, at: registry.kernel.now() + Self.pause, payload: Self.emptyingTimer)
        }
    }

    func cancelEmptying() {
        guard let timer = emptying?.timer else { return }
        registry.wheel.cancel(timer)
        emptying = nil
    }
}
