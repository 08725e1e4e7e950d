// Counts of several threads, which each can read without waiting for the others.
import Synchronization

/// What each of several owners has, as the others see it. An owner alone writes what it has, by
/// plain stores, so that no update is lost or late for its own decisions, and none waits for a
/// locked instruction. What is on its way to an owner is counted by whoever sends it.
///
/// Invariant: each owner's counts lie on a cache line of their own.
@safe
final class SharedCounts: @unchecked Sendable {
    private struct Cell: ~Copyable {
        let had = Atomic(0)
        let coming = Atomic(0)
        let isOpen = Atomic(false)
    }

    /// Two lines of 64 bytes, which some processors fetch together.
    private static let stride = 128

    /// How many owners there are.
    let count: Int
    private let storage: UnsafeMutableRawPointer

    init(count: Int) {
        self.count = count
        unsafe storage = .allocate(byteCount: count * Self.stride, alignment: Self.stride)
        for index in 0..<count {
            unsafe (storage + index * Self.stride).bindMemory(to: Cell.self, capacity: 1)
                .initialize(to: Cell())
        }
    }

    deinit {
        for index in 0..<count { unsafe cell(index).deinitialize(count: 1) }
        unsafe storage.deallocate()
    }

    private func cell(_ index: Int) -> UnsafeMutablePointer<Cell> {
        unsafe (storage + index * Self.stride).assumingMemoryBound(to: Cell.self)
    }

    /// What this one has, and what is on its way to it.
    subscript(index: Int) -> Int {
        unsafe had(index) + cell(index).pointee.coming.load(ordering: .relaxed)
    }

    /// What this one has.
    func had(_ index: Int) -> Int { unsafe cell(index).pointee.had.load(ordering: .relaxed) }

    /// Says what this one has. For its owner alone.
    func set(_ value: Int, at index: Int) {
        unsafe cell(index).pointee.had.store(value, ordering: .relaxed)
    }

    // MARK: On the way

    /// Whether this one takes what is sent to it.
    func isOpen(_ index: Int) -> Bool {
        unsafe cell(index).pointee.isOpen.load(ordering: .relaxed)
    }

    /// For its owner alone.
    func open(_ index: Int) {
        unsafe cell(index).pointee.isOpen.store(true, ordering: .sequentiallyConsistent)
    }

    /// From now on nothing new is sent to this one: what still is, `coming` counts. For its owner.
    func close(_ index: Int) {
        unsafe cell(index).pointee.isOpen.store(false, ordering: .sequentiallyConsistent)
    }

    /// Counts something that is to be sent to this one; false, and nothing is counted, where it
    /// takes nothing. The order of the two steps, and of those of the owner who closes first and
    /// then reads `coming`, has one of them see the other.
    func send(to index: Int) -> Bool {
        unsafe cell(index).pointee.coming.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if unsafe cell(index).pointee.isOpen.load(ordering: .sequentiallyConsistent) { return true }
        arrived(at: index)
        return false
    }

    /// What was sent to this one has come, or will not.
    func arrived(at index: Int) {
        unsafe cell(index).pointee.coming.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    }

    /// How much is on its way to this one.
    func coming(_ index: Int) -> Int {
        unsafe cell(index).pointee.coming.load(ordering: .sequentiallyConsistent)
    }
}
