// The machine's kernel, whose descriptors are counted, and a patience that is bounded.
import Glibc
import Testing

@testable import Tron

/// Real time, real waits, none of which is longer than five milliseconds.
final class PatientKernel: FaultyKernel, @unchecked Sendable {
    private let machine = Kernel()
    /// Bytes that the kernel takes of what an accepted socket sends; nil for its own idea.
    var sendBuffer: Int32?

    override func now() -> Int64 { machine.now() }

    override func accept(
        _ number: Int32, _ address: UnsafeMutableRawPointer, _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let result = super.accept(number, address, length)
        if result >= 0, var size = sendBuffer {
            setsockopt(Int32(result), SOL_SOCKET, SO_SNDBUF, &size, 4)
        }
        return result
    }

    override func epollWait(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, nanoseconds: Int64
    ) -> Int {
        let most: Int64 = 5_000_000
        return machine.epollWait(
            epoll, list, count, nanoseconds: nanoseconds < 0 ? most : min(nanoseconds, most))
    }
}

/// A reactor among real neighbours.
final class Neighbourhood {
    let kernel = PatientKernel()
    let reactor: Reactor

    init(limits: ReactorLimits = ReactorLimits()) throws {
        reactor = try Reactor(limits: limits, kernel: kernel)
    }

    /// Takes turns until the condition holds, sixty seconds at most.
    func turn(
        until condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let end = ContinuousClock.now + .seconds(60)
        while !condition() && ContinuousClock.now < end { try reactor.turn() }
        #expect(condition(), "not within 60 s", sourceLocation: sourceLocation)
    }

    /// Takes turns for a while.
    func turn(for time: Duration) throws {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end { try reactor.turn() }
    }
}

/// How sessions ended, by the words of their reasons.
final class EndCounts {
    private(set) var counts: [String: Int] = [:]

    var total: Int { counts.values.reduce(0, +) }

    func add(_ reason: CloseReason) { counts["\(reason)", default: 0] += 1 }

    /// Those that are none of these.
    func others(than reasons: [CloseReason]) -> [String: Int] {
        counts.filter { !reasons.map(\.description).contains($0.key) }
    }
}
