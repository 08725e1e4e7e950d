// Raw memory for elements that grow in number: the one place that allocates, moves and frees it.

/// Memory for `capacity` elements, some of them initialised. Its owner knows which, and ends it by
/// `deallocate`.
///
/// A plain value. As a noncopyable one it could free itself, but accesses to it in a class would be
/// checked for exclusivity at run time, which triples the cost of a timer.
@safe
struct GrowableStorage<Element: ~Copyable>: BitwiseCopyable {
    let base: UnsafeMutablePointer<Element>
    let capacity: Int

    init(capacity: Int) {
        unsafe base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    /// Storage of twice the capacity, at most `maximum`, to which the first `used` elements have
    /// moved. They must be all that are initialised. This storage is deallocated. Traps, naming the
    /// `owner`, when the capacity is the maximum already.
    @inline(never)
    func grown(
        keeping used: Int, atMost maximum: Int = .max, in owner: StaticString
    ) -> GrowableStorage {
        demand(capacity < maximum, "\(owner) holds at most \(maximum) elements")
        let larger = GrowableStorage(capacity: min(2 * capacity, maximum))
        unsafe larger.base.moveInitialize(from: base, count: used)
        deallocate()
        return larger
    }

    /// Whatever is initialised must have been deinitialised or moved away.
    func deallocate() { unsafe base.deallocate() }
}
