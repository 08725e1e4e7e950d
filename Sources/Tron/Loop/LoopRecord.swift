// What the loop notes of itself: turns, events, how long it kept others waiting, slow handlers.

/// Sees how long each call of a source took. While there is one that wants the times, the loop
/// reads the clock after every call.
class LoopObserver {
    var wantsTimes: Bool { true }

    /// The source of this key was called, because it was ready or a timer of its came due.
    func called(_ source: SlabKey, nanoseconds: UInt64) {}

    /// The reactor ends, and nothing is left but this: whether it has had a call made later, to
    /// tell what it kept.
    func hasLastWords() -> Bool { false }

    /// The reactor has ended: lets go of what it holds.
    func end() {}
}

/// One reactor's numbers. They count from its beginning; who wants rates takes differences.
///
/// The histograms are unchecked because each turn adds to them: the loop alone touches them, and
/// adding calls nothing that could.
final class LoopRecord {
    private(set) var turns = 0
    private(set) var events = 0
    /// From the end of each wait to the beginning of the next; nanoseconds.
    var lag: Histogram { unsafe lags }
    /// How long each call of a source took, while an observer wants to know; nanoseconds.
    var handlerTimes: Histogram { unsafe times }

    @exclusivity(unchecked) private var lags = Histogram()
    @exclusivity(unchecked) private var times = Histogram()
    private var observers: [LoopObserver] = []
    private(set) var isTiming = false
    private var lastReading: Int64 = 0

    func add(_ observer: LoopObserver) {
        observers.append(observer)
        isTiming = observers.contains { $0.wantsTimes }
    }

    func remove(_ observer: LoopObserver) {
        observers.removeAll { $0 === observer }
        isTiming = observers.contains { $0.wantsTimes }
    }

    /// The loop has waited: a turn begins.
    func turnBegins(events: Int, at now: Int64) {
        turns &+= 1
        self.events &+= events
        lastReading = now
    }

    /// The turn that began at `start` is over.
    func turnEnded(from start: Int64, to end: Int64) {
        if turns > 0 { unsafe lags.record(UInt64(max(0, end &- start))) }
    }

    /// A source was called; what was before it is already counted.
    @inline(never)
    func called(_ source: SlabKey, now: Int64) {
        let nanoseconds = UInt64(max(0, now &- lastReading))
        lastReading = now
        unsafe times.record(nanoseconds)
        for observer in observers { observer.called(source, nanoseconds: nanoseconds) }
    }

    /// Whether an observer still has something told.
    func hasLastWords() -> Bool {
        // Each is asked, whatever another says.
        observers.reduce(false) { $1.hasLastWords() || $0 }
    }

    func end() {
        for observer in observers { observer.end() }
        observers = []
        isTiming = false
    }

    /// What was done meanwhile was no call of a source.
    func skip(to now: Int64) { lastReading = now }
}
