// Timers scheduled, cancelled and expired: in the wheel, and in a binary heap.

/// What both can do.
protocol TimerQueue: AnyObject {
    associatedtype Key

    var count: Int { get }
    func schedule(at tick: UInt64, owner: UInt64) -> Key
    func cancel(_ key: Key) -> Bool
    func advance(to tick: UInt64)
    func takeNextOwner() -> UInt64?
}

extension TimerWheel: TimerQueue {
    func schedule(at tick: UInt64, owner: UInt64) -> TimerKey {
        schedule(at: tick, owner: owner, payload: 0)
    }

    func takeNextOwner() -> UInt64? { takeDue()?.owner }
}

/// Within how many milliseconds the timers are due. The library's own timeouts are a minute; each
/// factor of 64 is one move more.
enum TimerSpan: UInt64 {
    case minute = 60_000
    case tenMinutes = 600_000
    case hour = 3_600_000
}

@inline(__always)
private func fill<Queue: TimerQueue>(
    _ queue: Queue, _ count: Int, within span: TimerSpan, then use: (Queue.Key) -> Void = { _ in }
) {
    var generator = SplitMix64(seed: 1)
    for owner in 0..<count {
        let tick = 1 + generator.next() % span.rawValue
        use(queue.schedule(at: tick, owner: UInt64(owner)))
    }
}

@inline(__always)
func scheduleTimers(in queue: some TimerQueue, within span: TimerSpan, _ count: Int) -> UInt64 {
    fill(queue, count, within: span)
    return UInt64(queue.count)
}

/// As in a busy reactor, whose turns follow one another at less than a millisecond.
@inline(__always)
func expireTimers(in queue: some TimerQueue, within span: TimerSpan, _ count: Int) -> UInt64 {
    fill(queue, count, within: span)
    var sum: UInt64 = 0
    // Without timers there is nothing to go through: the difference is what the timers cost.
    for tick in 1...(count > 0 ? span.rawValue : 1) {
        queue.advance(to: tick)
        while let owner = queue.takeNextOwner() { sum &+= owner &* tick }
    }
    return sum
}

@inline(__always)
func rescheduleTimers<Queue: TimerQueue>(in queue: Queue, _ count: Int) -> UInt64 {
    var keys: [Queue.Key] = []
    let span = TimerSpan.minute
    fill(queue, count, within: span) { keys.append($0) }
    var sum: UInt64 = 0
    for (owner, key) in keys.enumerated() where queue.cancel(key) {
        _ = queue.schedule(at: span.rawValue + UInt64(owner), owner: UInt64(owner))
        sum &+= UInt64(owner) &+ UInt64(queue.count)
    }
    return sum
}

/// The naive queue: the children of place n are at 2n + 1 and 2n + 2, and none is due before its
/// parent. A key finds its timer's place in a table, so that cancelling need not search.
final class TimerHeap: TimerQueue {
    private struct Timer {
        let tick: UInt64
        let owner: UInt64
        let key: Int
    }

    private var heap: [Timer] = []
    /// Of every key that was given out, or -1.
    private var places: [Int] = []
    private var now: UInt64 = 0

    var count: Int { heap.count }

    func schedule(at tick: UInt64, owner: UInt64) -> Int {
        let key = places.count
        places.append(heap.count)
        heap.append(Timer(tick: tick, owner: owner, key: key))
        moveUp(from: heap.count - 1)
        return key
    }

    func cancel(_ key: Int) -> Bool {
        let place = places[key]
        guard place >= 0 else { return false }
        remove(at: place)
        return true
    }

    func advance(to tick: UInt64) { now = tick }

    func takeNextOwner() -> UInt64? {
        guard let first = heap.first, first.tick <= now else { return nil }
        remove(at: 0)
        return first.owner
    }

    private func remove(at place: Int) {
        places[heap[place].key] = -1
        let last = heap.removeLast()
        guard place < heap.count else { return }
        put(last, at: place)
        moveUp(from: place)
        moveDown(from: place)
    }

    private func put(_ timer: Timer, at place: Int) {
        heap[place] = timer
        places[timer.key] = place
    }

    private func moveUp(from start: Int) {
        var place = start
        let timer = heap[place]
        while place > 0, heap[(place - 1) / 2].tick > timer.tick {
            put(heap[(place - 1) / 2], at: place)
            place = (place - 1) / 2
        }
        put(timer, at: place)
    }

    private func moveDown(from start: Int) {
        var place = start
        let timer = heap[place]
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].tick < heap[child].tick { child += 1 }
            guard heap[child].tick < timer.tick else { break }
            put(heap[child], at: place)
            place = child
        }
        put(timer, at: place)
    }
}
