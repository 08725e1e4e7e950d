// What the oracle notes of endpoints, requests, timers and promises that have a time limit.

import TronTestKit

@testable import Tron

/// A server of the run.
final class ServerRecord {
    let server: Server
    let options: ServerOptions
    /// Its listener is closed: no further session may come.
    var isStopped = false
    /// Its sessions may be aborted: by a stop that says so, or by a drain's deadline.
    var mayAbort = false
    /// Drains that go on.
    var drains = 0
    /// What its limit allows of connections.
    var rate: RateRule?

    init(_ server: Server, _ options: ServerOptions) {
        self.server = server
        self.options = options
    }
}

/// A client of the run.
final class ClientRecord: @unchecked Sendable {
    let client: Client
    let options: ClientOptions
    let backoff: Backoff
    let serial: Int
    /// How many addresses it has, and whether these are a name's.
    let targets: Int
    let isNamed: Bool
    var isClosed = false
    var state = ClientState.connecting
    /// How often it was told a state, and that it was connected.
    var changes = 0
    var connections = 0
    /// The last attempt that it waited before, and until when; when it last began to connect, and
    /// was first seen to, less the time that had been lost by then.
    var attempt = 0
    var waitsUntil: Int64 = 0
    var connectingSince: Int64 = 0
    var watchedSince: Int64?
    /// The session that it has, and the last that it had since it last waited.
    var current: SessionRecord?
    var last: SessionRecord?
    /// The session by which it was said that the connection works.
    var confirmed: SessionRecord?
    /// Requests that have not ended, in the order in which they were made.
    var open: [RequestRecord] = []
    /// Reasons that its requests were told a connection was lost for, until it is told itself.
    var lostReasons: [CloseReason] = []
    /// The request that last had a sequence.
    var numbers: [Int32: UInt64] = [:]

    init(
        _ client: Client, _ options: ClientOptions, _ backoff: Backoff, targets: Int,
        isNamed: Bool, serial: Int
    ) {
        self.client = client
        self.options = options
        self.backoff = backoff
        self.targets = targets
        self.isNamed = isNamed
        self.serial = serial
    }

    /// Lets go of what names it.
    func forgetAll() {
        current = nil
        last = nil
        confirmed = nil
        open = []
    }

    var connectTimeout: Int64 { options.connectTimeout.clampedNanoseconds }
}

/// A request of a client. `@unchecked` because tasks have it, on the run's one thread.
final class RequestRecord: @unchecked Sendable {
    let number: UInt64
    let length: Int
    let client: ClientRecord
    let isRepeatable: Bool
    let timeout: Int64
    var deadline: Int64 = 0
    var isAwaited = false
    var isCancelled = false
    var isEnded = false
    var sequence: Int32?
    /// The connections that carried it.
    var carriers: [Int] = []
    /// What it met when it was made: whether its client had a session that took packets, requests
    /// that had not ended, and those of them that may be kept as copies; and the bytes that waited.
    var hadSession = false
    var pendingBefore = 0
    var copiesBefore = 0
    var queuedAfter = 0

    init(
        _ number: UInt64, _ length: Int, _ client: ClientRecord, isRepeatable: Bool, timeout: Int64
    ) {
        self.number = number
        self.length = length
        self.client = client
        self.isRepeatable = isRepeatable
        self.timeout = timeout
    }
}

/// A timer of the run.
final class TimerRecord {
    let serial: Int
    let interval: Int64?
    var deadline: Int64 = 0
    var handle: ScheduledTimer?
    var isOver = false

    init(serial: Int, interval: Int64?) {
        self.serial = serial
        self.interval = interval
    }
}

/// What has to have happened by a time.
///
/// The loop may be a tick late. It may be later still while it is busy, in turns that do not wait;
/// but it must not go to sleep over a promise that is due, nor for longer than until the next.
struct Obligations {
    /// One tick of the library's timers, and a microsecond for its look at the clock.
    static let tick: Int64 = 1_001_000

    private var open: [(serial: Int, deadline: Int64, what: StaticString, lost: Int64?)] = []

    /// What others have to be done for first is late by what these take: since `lost` had gone by.
    mutating func add(
        _ serial: Int, _ deadline: Int64, _ what: StaticString, lost: Int64? = nil
    ) {
        open.append((serial, deadline, what, lost))
    }

    mutating func meet(_ serial: Int) {
        if let index = open.firstIndex(where: { $0.serial == serial }) { open.remove(at: index) }
    }

    mutating func removeAll() { open = [] }

    /// Before a wait: whether the loop may sleep so long.
    func check(_ run: Run, sleepingFor nanoseconds: Int64) {
        for (serial, deadline, what, lost) in open {
            let latest = deadline + Self.tick + (lost.map { run.timeLost - $0 } ?? 0)
            if nanoseconds != 0 && run.turnStart >= latest {
                run.fail("\(what) \(serial) is overdue by \(run.turnStart - deadline) ns")
            } else if nanoseconds < 0 || nanoseconds > max(0, latest - run.clock) {
                run.fail(
                    "the loop sleeps for \(nanoseconds) ns over \(what) \(serial), "
                        + "which is due in \(deadline - run.clock) ns")
            }
        }
    }
}
