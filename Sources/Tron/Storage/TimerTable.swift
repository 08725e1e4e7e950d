// What a source remembers of each timer that it armed.

/// Values beside the wheel's timers, each at its timer's index. The owner overwrites a value when
/// it arms a timer, so that a table never needs to be cleared.
struct TimerTable<Value> {
    private let empty: Value
    private var values: [Value] = []

    /// `empty` fills the places of timers that belong to others.
    init(empty: Value) { self.empty = empty }

    subscript(timer: TimerKey) -> Value {
        get { values[Int(timer.index)] }
        set {
            let index = Int(timer.index)
            if index >= values.count {
                // Doubled, so that it grows as seldom as the wheel itself.
                let count = max(index + 1, 2 * values.count)
                values.append(contentsOf: repeatElement(empty, count: count - values.count))
            }
            values[index] = newValue
        }
    }
}
