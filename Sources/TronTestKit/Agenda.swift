// What the network has planned: actions by time.

/// What is to happen, by time; at the same time in the order of planning.
package struct Agenda {
    private var heap: [(time: Int64, serial: Int, action: () -> Void)] = []
    private var serial = 0

    package var nextTime: Int64? { heap.first?.time }

    package mutating func add(_ time: Int64, _ action: @escaping () -> Void) {
        serial += 1
        heap.append((time, serial, action))
        var child = heap.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The next action that is due.
    package mutating func take(until time: Int64) -> (() -> Void)? {
        guard let first = heap.first, first.time <= time else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if isBefore(child, least) { least = child }
            }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
        return first.action
    }

    package mutating func removeAll() { heap = [] }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (heap[left].time, heap[left].serial) < (heap[right].time, heap[right].serial)
    }
}
