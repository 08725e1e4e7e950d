// Growing storage: what is moved, how far it grows, and what is left alone.
import Testing

@testable import Tron

@Suite struct GrowableStorageTests {
    @Test func `growth doubles the capacity and moves what was initialised`() {
        var storage = GrowableStorage<Int>(capacity: 3)
        #expect(storage.capacity == 3)
        for index in 0..<3 { (storage.base + index).initialize(to: index * 7) }
        for capacity in [6, 12, 24, 48] {
            storage = storage.grown(keeping: 3, in: "a test")
            #expect(storage.capacity == capacity)
            #expect((0..<3).map { storage.base[$0] } == [0, 7, 14])
        }
        storage.deallocate()
    }

    @Test func `elements are moved, neither copied nor released`() {
        final class Element {}
        var element = Element()
        var storage = GrowableStorage<Element>(capacity: 1)
        storage.base.initialize(to: element)
        storage = storage.grown(keeping: 1, in: "a test")
        #expect(storage.base[0] === element && !isKnownUniquelyReferenced(&element))
        storage.base.deinitialize(count: 1)
        storage.deallocate()
        #expect(isKnownUniquelyReferenced(&element))
    }

    @Test func `the maximum is reached exactly, and not exceeded`() async {
        var storage = GrowableStorage<UInt8>(capacity: 64)
        storage = storage.grown(keeping: 0, atMost: 100, in: "a test")
        #expect(storage.capacity == 100)
        storage.deallocate()
        await #expect(processExitsWith: .failure) {
            _ = GrowableStorage<UInt8>(capacity: 100).grown(keeping: 0, atMost: 100, in: "a test")
        }
    }

    @Test func `elements that cannot be copied are moved too`() {
        var storage = GrowableStorage<Unique>(capacity: 1)
        storage.base.initialize(to: Unique(number: 5))
        storage = storage.grown(keeping: 1, in: "a test")
        #expect(storage.base[0].number == 5)
        storage.base.deinitialize(count: 1)
        storage.deallocate()
    }
}

private struct Unique: ~Copyable {
    let number: Int
}
