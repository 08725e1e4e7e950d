// What a test may have go wrong, and how often.
import Tron

/// A kind of fault of the simulated machines.
public enum SimulatedFault: Sendable, Hashable, CaseIterable {
    /// A read brings less than has arrived.
    case shortRead
    /// A write takes less than there is room for.
    case shortWrite
    /// A socket that was told ready is not: several times in a row.
    case falseReadiness
    /// A signal interrupts a call.
    case interruptedCall
    /// An event of a descriptor that is closed by now.
    case staleEvent
    /// Events come in any order.
    case shuffledEvents
    /// The process has no descriptor left (EMFILE), or the system has none (ENFILE).
    case noDescriptor
    /// The kernel has no memory for a call (ENOBUFS, ENOMEM).
    case noMemory
    /// A connection is gone before it is accepted.
    case abortedConnection
    /// An attempt to connect is refused.
    case refusedConnection
    /// An attempt to connect takes up to three seconds.
    case slowConnection
    /// An attempt to connect is never answered.
    case unansweredConnection
    /// A name is not resolved.
    case failedLookup
    /// The machine slept for up to ten seconds.
    case clockJump

    fileprivate var kinds: [Fault] {
        switch self {
        case .shortRead: [.shortRead]
        case .shortWrite: [.shortWrite]
        case .falseReadiness: [.storm]
        case .interruptedCall: [.interruption]
        case .staleEvent: [.staleEvent]
        case .shuffledEvents: [.shuffledEvents]
        case .noDescriptor: [.processLimit, .systemLimit]
        case .noMemory: [.noBuffers]
        case .abortedConnection: [.abortedConnection]
        case .refusedConnection: [.connectRefused]
        case .slowConnection: [.connectSlow]
        case .unansweredConnection: [.connectNever]
        case .failedLookup: [.lookupFails]
        case .clockJump: [.clockJump]
        }
    }
}

extension SimulatedNetwork {
    /// Has a fault happen so often of the times at which it could, from 0 to 1, in thousandths. At
    /// first none happens. While a reactor's setup runs, none does.
    public func setProbability(of fault: SimulatedFault, to probability: Double) {
        precondition((0...1).contains(probability), "a probability is from 0 to 1")
        for kind in fault.kinds {
            run.faults.set(kind, perMille: Int((probability * 1000).rounded()))
        }
    }
}
