// Signals by name, and a reactor's watch for them: sigaction(2).
internal import CEpollShim

/// A signal of the system, by its number.
public struct Signal: RawRepresentable, Hashable, Sendable {
    static let numbers: ClosedRange<Int32> = 1...64

    /// The signal's number, 1 to 64.
    public let rawValue: Int32

    /// Traps on a number outside 1 to 64.
    public init(rawValue: Int32) {
        demand(Self.numbers.contains(rawValue), "a signal has a number from 1 to 64")
        self.rawValue = rawValue
    }

    /// SIGHUP: the terminal is gone, or the configuration is to be read anew.
    public static let hangUp = Signal(rawValue: SIGHUP)
    /// SIGINT: control-C.
    public static let interrupt = Signal(rawValue: SIGINT)
    /// SIGTERM: the service manager's request to end.
    public static let terminate = Signal(rawValue: SIGTERM)
    /// SIGUSR1: the application's own.
    public static let user1 = Signal(rawValue: SIGUSR1)
    /// SIGUSR2: the application's own.
    public static let user2 = Signal(rawValue: SIGUSR2)
}

/// Owns a place in the process's table of those who watch signals, and the eventfd that the signal
/// handler writes.
struct SignalWatch: ~Copyable {
    private let wakeup: Wakeup
    private let kernel: Kernel
    private let place: Int32

    init(kernel: Kernel) throws(SystemError) {
        let wakeup = try Wakeup(kernel: kernel)
        let number = wakeup.number
        let place = try SystemError.require(.sigaction) { kernel.openSignals(number) }
        self.wakeup = wakeup
        self.kernel = kernel
        self.place = Int32(truncatingIfNeeded: place)
    }

    /// The place is given back first: then no handler writes the eventfd any more.
    deinit { kernel.closeSignals(place) }

    /// The descriptor that is readable when a signal has arrived.
    var number: Int32 { wakeup.number }

    /// Has a signal arrive here, too.
    borrowing func add(_ signal: Signal) throws(SystemError) {
        try SystemError.require(.sigaction) { kernel.watchSignal(place, signal.rawValue) }
    }

    /// Makes the descriptor unreadable until the next signal. To be called before `take`, so that
    /// no signal is missed that arrives between the two.
    borrowing func drain() throws(SystemError) { try wakeup.drain() }

    /// Watches no more. What has arrived before can still be taken; else it is raised again when
    /// this value ends.
    borrowing func stop() { kernel.stopSignals(place) }

    /// The signals that have arrived since the last call, each once, by their numbers.
    borrowing func take() -> [Signal] {
        let bits = kernel.takeSignals(place)
        return Signal.numbers.filter { bits >> UInt64($0 - 1) & 1 == 1 }.map(Signal.init)
    }
}
