// The descriptors of the simulated process: lowest number first, reused at once, bounded.
import Glibc
import Tron

/// What a descriptor stands for.
package final class OpenFile {
    package enum Kind {
        /// A stream socket, perhaps bound and listening.
        case socket(End)
        case event, epoll
    }

    package let serial: Int
    package let number: Int32
    package let kind: Kind
    package var listener: Listener?
    package var lingersZero = false
    /// An eventfd's counter.
    package var pending: UInt64 = 0
    /// Of an eventfd that is written when a signal arrives: which signals, and those that have
    /// arrived. Bit n - 1 stands for signal n.
    package var watchedSignals: UInt64 = 0
    package var arrivedSignals: UInt64 = 0

    // Epoll's.
    /// Whose epoll it is in: of the kernels of one process there may be several.
    package var watcher: ObjectIdentifier?
    package var isWatched: Bool { watcher != nil }
    package var interest: UInt32 = 0
    package var token: UInt64 = 0
    /// The present batch has an event of it.
    package var isInBatch = false
    /// How often in a row it was told and nothing came of it.
    package var fruitlessEvents = 0
    /// Calls that will be answered with EAGAIN.
    package var stormLeft = 0

    package init(_ kind: Kind, number: Int32, serial: Int) {
        self.kind = kind
        self.number = number
        self.serial = serial
    }

    package var end: End? { if case .socket(let end) = kind { end } else { nil } }

    /// Something came of its event.
    package func isUsed() {
        fruitlessEvents = 0
    }

    /// What epoll would say of it.
    package var readiness: UInt32 {
        switch kind {
        case .socket(let end):
            if let listener { return listener.isReady ? Ready.readable : 0 }
            return end.readiness
        case .event: return (pending > 0 ? Ready.readable : 0) | Ready.writable
        case .epoll: return 0
        }
    }
}

/// What the kernels of one process have in common, each of which serves a loop.
package final class SimulatedProcess {
    package var table = DescriptorTable()

    package init() {}
}

/// All descriptors. 0, 1 and 2 are not to be had.
package struct DescriptorTable {
    private static let first = 3

    private var files: [OpenFile?] = []
    package private(set) var openCount = 0
    /// How many descriptors there may be.
    package var limit = 1000
    /// Numbers that the present batch told of and that have been closed since.
    private var closedInBatch: Set<Int32> = []

    package subscript(number: Int32) -> OpenFile? {
        let index = Int(number) - Self.first
        return files.indices.contains(index) ? files[index] : nil
    }

    package var isFull: Bool { openCount >= limit }

    package var all: [OpenFile] { files.compactMap(\.self) }

    /// Opens the lowest free number.
    package mutating func open(_ kind: OpenFile.Kind, _ run: Run) -> OpenFile {
        let free = files.firstIndex { $0 == nil } ?? files.count
        let number = Int32(free + Self.first)
        let file = OpenFile(kind, number: number, serial: run.nextSerial())
        if free == files.count { files.append(file) } else { files[free] = file }
        openCount += 1
        if closedInBatch.remove(number) != nil { run.met(.reusedDescriptor) }
        return file
    }

    package mutating func close(_ file: OpenFile) {
        files[Int(file.number) - Self.first] = nil
        openCount -= 1
        if file.isInBatch { closedInBatch.insert(file.number) }
    }

    package mutating func beginBatch() { closedInBatch.removeAll(keepingCapacity: true) }

    func contains(where predicate: (OpenFile) -> Bool) -> Bool {
        for case let file? in files where predicate(file) { return true }
        return false
    }

    /// Calls `body` with every file, in the order of the numbers.
    package func forEach(_ body: (OpenFile) -> Void) {
        for case let file? in files { body(file) }
    }
}
