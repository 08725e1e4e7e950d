// What a run's world does at all: each seed draws a half, so that the rest meets more of it.
import TronTestKit

/// A way of using the library that a run may leave out.
enum Habit: Int, CaseIterable {
    case idleTimes, heartbeats, death, packetTimes, halfClose, refusals, tightOutput
    case streams, tasks, groups, events, drains, fills, adversaries
    case proxies, names, meters, rates, forwards
}

/// Those of one run. A tenth of the runs has all.
struct Habits {
    private var habits: UInt64
    private var pokes: UInt64

    init(drawnFrom chance: Chance) {
        let hasAll = chance.hits(100)
        habits = hasAll ? .max : chance.next()
        // Of the calls that handlers make besides their task, too.
        pokes = hasAll ? .max : chance.next() | chance.next()
    }

    func has(_ habit: Habit) -> Bool { habits >> UInt64(habit.rawValue) & 1 == 1 }

    func makes(_ poke: Int) -> Bool { pokes >> UInt64(poke) & 1 == 1 }
}

/// A user, or its peer, that never changes its ways.
enum Adversary: CaseIterable {
    /// Installs its handler anew each time, and takes nothing.
    case reinstalls
    /// Stops reading for good as soon as it can.
    case neverReads
    /// Fills its output whenever it may.
    case onlyStreams
    /// Closes the session in every handler.
    case closesAlways
}
