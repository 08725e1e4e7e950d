// Signals by name, and the descriptor that receives them: signalfd(2).
internal import CEpollShim

/// A signal of the system, by its number.
public struct Signal: RawRepresentable, Hashable, Sendable {
    /// The signal's number, 1 to 63.
    public let rawValue: Int32

    /// Traps on a number outside 1 to 63.
    public init(rawValue: Int32) {
        demand((1...63).contains(rawValue), "a signal has a number from 1 to 63")
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

/// Owns a signalfd.
///
/// Invariant: the signals in `bits` are blocked for the thread and received here.
struct SignalDescriptor: ~Copyable {
    private var descriptor: Descriptor
    private var bits: UInt64 = 0

    init(kernel: Kernel) throws(SystemError) {
        let number = try SystemError.require(.signalfd) {
            kernel.signalDescriptor(-1, signals: 0)
        }
        descriptor = Descriptor(number, kernel: kernel)
    }

    var number: Int32 { descriptor.number }

    /// Blocks a signal for the calling thread and receives it here. Blocked first, so that one
    /// which arrives in between waits.
    mutating func add(_ signal: Signal) throws(SystemError) {
        let kernel = descriptor.kernel
        let bit: UInt64 = 1 << UInt64(signal.rawValue)
        try SystemError.require(.pthread_sigmask) { kernel.maskSignals(block: true, signals: bit) }
        let all = bits | bit
        try SystemError.require(.signalfd) {
            kernel.signalDescriptor(descriptor.number, signals: all)
        }
        bits = all
    }

    /// The next signal that arrived; nil when none waits.
    borrowing func take() throws(SystemError) -> Signal? {
        let size = tron_signal_record_size()
        return try unsafe withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) {
            record throws(SystemError) -> Signal? in
            let base = unsafe record.baseAddress.unsafelyUnwrapped
            let count = try SystemError.judge(.read) {
                unsafe descriptor.kernel.read(descriptor.number, base, size)
            }
            guard count == size else { return nil }
            return unsafe Signal(rawValue: Int32(tron_signal_number(base, 0)))
        }
    }

    /// Gives the signals back to what they do by default.
    mutating func close() {
        _ = descriptor.kernel.maskSignals(block: false, signals: bits)
        bits = 0
        descriptor.close()
    }
}
