// What can go wrong in a run: the kinds, how likely a run makes each, how often each was met.

/// A kind of fault or of awkward circumstance.
package enum Fault: Int, CaseIterable {
    case shortRead, shortWrite, storm, interruption, reset, finish, halfClose, hangUpAlone
    case staleEvent, reusedDescriptor, burst, processLimit, systemLimit, noBuffers,
        abortedConnection
    case connectRefused, connectSlow, connectNever, freeze, partitionOneWay, partitionBothWays
    case shuffledEvents, clockJump, longHandler, reentrantCall, capHit, lateAnswer, sentThrough
    case lookupFails

    /// Its name in the table.
    package var title: String {
        switch self {
        case .shortRead: "short read"
        case .shortWrite: "short write"
        case .storm: "EAGAIN storm"
        case .interruption: "EINTR"
        case .reset: "RST"
        case .finish: "FIN"
        case .halfClose: "half-close"
        case .hangUpAlone: "HUP without IN"
        case .staleEvent: "stale event"
        case .reusedDescriptor: "descriptor reused within a batch"
        case .burst: "burst of accepts"
        case .processLimit: "EMFILE"
        case .systemLimit: "ENFILE"
        case .noBuffers: "ENOBUFS"
        case .abortedConnection: "ECONNABORTED"
        case .connectRefused: "connect refused"
        case .connectSlow: "connect slow"
        case .connectNever: "connect never"
        case .freeze: "peer freezes"
        case .partitionOneWay: "partition one way"
        case .partitionBothWays: "partition both ways"
        case .shuffledEvents: "events in shuffled order"
        case .clockJump: "clock jump forward"
        case .longHandler: "long handler"
        case .reentrantCall: "re-entrant call from a handler"
        case .capHit: "cap hit"
        case .lateAnswer: "late answer"
        case .sentThrough: "large packet sent through"
        case .lookupFails: "name lookup fails"
        }
    }

    /// How often a run in which it is on tries it, in a thousand opportunities.
    fileprivate var rates: [Int] {
        switch self {
        case .shortRead, .shortWrite: [100, 400, 900]
        case .storm: [30, 100]
        case .interruption: [20, 100]
        case .processLimit, .systemLimit, .noBuffers, .abortedConnection: [20, 100, 300]
        case .connectRefused, .connectSlow, .connectNever, .lookupFails: [100, 300]
        case .freeze, .partitionOneWay, .partitionBothWays: [100, 300]
        case .staleEvent: [50, 200]
        case .shuffledEvents: [500, 1000]
        case .clockJump: [10, 40]
        case .longHandler: [10, 50]
        case .reentrantCall: [100, 300, 600]
        case .reset, .finish, .halfClose: [100, 400]
        case .hangUpAlone, .reusedDescriptor, .burst, .capHit, .lateAnswer, .sentThrough:
            [300, 600]
        }
    }
}

/// The faults of one run: which are on, and how often each did something.
///
/// A fault counts when it bit: a short read when there was more to read, a partition when something
/// could not pass.
package struct Faults {
    private var rates: [Int]
    package private(set) var counts = [Int](repeating: 0, count: Fault.allCases.count)
    /// While true, nothing is made to go wrong any more.
    package var isCalm = false

    /// Each kind is on in a third of the runs; a tenth of the runs has none.
    package init(drawnFrom chance: Chance) {
        let isQuiet = chance.hits(100)
        rates = Fault.allCases.map { fault in
            let isOn = chance.hits(330)
            let rate = chance.pick(from: fault.rates) ?? 0
            return isOn && !isQuiet ? rate : 0
        }
    }

    /// None is on.
    package init() { rates = [Int](repeating: 0, count: Fault.allCases.count) }

    package mutating func set(_ fault: Fault, perMille: Int) { rates[fault.rawValue] = perMille }

    package mutating func count(_ fault: Fault) { counts[fault.rawValue] += 1 }

    package func isOn(_ fault: Fault) -> Bool { !isCalm && rates[fault.rawValue] > 0 }

    /// Whether to make it happen now.
    package func strikes(_ fault: Fault, _ chance: Chance) -> Bool {
        isOn(fault) && chance.hits(rates[fault.rawValue])
    }
}
