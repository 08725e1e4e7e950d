// What a source remembers of each timer that it armed.

/// Values beside the wheel's timers, each at its timer's index. The owner writes a value when it
/// arms a timer, and reads it only while that timer is its own: so nothing is ever cleared.
///
/// Invariant: the first `capacity` values are initialised.
@safe
final class TimerTable<Value: BitwiseCopyable> {
    private let empty: Value
    private var values: UnsafeMutablePointer<Value>
    private var capacity = 16

    /// `empty` fills the places of timers that belong to others.
    init(empty: Value) {
        self.empty = empty
        unsafe values = .allocate(capacity: capacity)
        unsafe values.initialize(repeating: empty, count: capacity)
    }

    deinit { unsafe values.deallocate() }

    @inline(__always)
    subscript(timer: TimerKey) -> Value {
        get {
            demand(Int(timer.index) < capacity, "the timer was armed by somebody else")
            return unsafe values[Int(timer.index)]
        }
        set {
            if Int(timer.index) >= capacity { grow(toHold: Int(timer.index)) }
            unsafe values[Int(timer.index)] = newValue
        }
    }

    /// Doubles, so that it grows as seldom as the wheel itself.
    @inline(never)
    private func grow(toHold index: Int) {
        let larger = max(index + 1, 2 * capacity)
        let moved = UnsafeMutablePointer<Value>.allocate(capacity: larger)
        unsafe moved.initialize(from: values, count: capacity)
        unsafe (moved + capacity).initialize(repeating: empty, count: larger - capacity)
        unsafe values.deallocate()
        unsafe values = moved
        capacity = larger
    }
}
