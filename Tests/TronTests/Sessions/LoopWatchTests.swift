// What a session has asked of the loop: each request once, and epoll as the session last wanted it.
import Glibc
import Testing

@testable import Tron

@Suite struct LoopWatchTests {
    /// A watched descriptor beside the epoll that it is in, of which the kernel keeps account.
    private final class Stage {
        let kernel = FaultyKernel()
        let epoll: Epoll
        let descriptor: Descriptor
        let key = SlabKey(index: 7, generation: 3)
        var watch = LoopWatch()

        init() throws {
            epoll = try Epoll(kernel: kernel)
            descriptor = Descriptor(kernel.eventDescriptor(), kernel: kernel)
            try epoll.add(descriptor.number, .readable, token: key.rawValue)
        }

        /// What epoll has the descriptor in for; nil when it is out.
        var interest: UInt32? { kernel.interests[descriptor.number] }
        /// Calls that changed epoll.
        var changes: Int { kernel.calls[.epollControl, default: 0] }

        func change(to wanted: Readiness) throws {
            try watch.change(to: wanted, of: descriptor.number, key, epoll)
        }

        func leaveEpoll() throws { try watch.leaveEpoll(descriptor.number, epoll) }

        /// The tokens of what epoll says is ready.
        func readyTokens() throws -> [UInt64] {
            let count = try epoll.wait(nanoseconds: 0)
            return (0..<count).map { epoll.event($0).token }
        }
    }

    @Test func `a flush is asked for once until it is done`() {
        var watch = LoopWatch()
        #expect(!watch.isToFlush)
        for _ in 0..<2 {
            #expect(watch.asksForFlush() && watch.isToFlush)
            #expect(!watch.asksForFlush() && watch.isToFlush)
            watch.noteFlush()
            #expect(!watch.isToFlush)
        }
    }

    @Test func `a call is asked for once until it is made, whatever else is asked for`() {
        var watch = LoopWatch()
        #expect(!watch.isWoken)
        for _ in 0..<2 {
            #expect(watch.asksForWake() && watch.isWoken)
            #expect(!watch.asksForWake() && watch.isWoken)
            #expect(watch.asksForFlush() && !watch.asksForWake())
            watch.noteFlush()
            #expect(watch.isWoken)
            watch.noteWake()
            #expect(!watch.isWoken && !watch.isToFlush)
        }
    }

    @Test func `it begins in epoll, readable, and knows what it is interested in`() throws {
        let stage = try Stage()
        #expect(stage.watch.isInEpoll)
        #expect(stage.watch.isInterested(in: .readable))
        #expect(!stage.watch.isInterested(in: []))
        #expect(!stage.watch.isInterested(in: [.readable, .writable]))
        try stage.change(to: [.readable, .writable])
        #expect(stage.watch.isInterested(in: [.readable, .writable]))
        #expect(stage.interest == UInt32(Readiness([.readable, .writable]).rawValue))
        try stage.change(to: [])
        #expect(stage.watch.isInterested(in: []) && stage.watch.isInEpoll)
        #expect(stage.interest == 0)
    }

    @Test func `out of epoll it stays there until something is waited for`() throws {
        let stage = try Stage()
        try stage.leaveEpoll()
        #expect(!stage.watch.isInEpoll && stage.interest == nil)
        #expect(!stage.watch.isInterested(in: .readable) && !stage.watch.isInterested(in: []))
        let before = stage.changes
        try stage.leaveEpoll()
        try stage.change(to: [])
        #expect(stage.changes == before && !stage.watch.isInEpoll)
        try stage.change(to: .writable)
        #expect(stage.watch.isInEpoll && stage.watch.isInterested(in: .writable))
        #expect(stage.interest == UInt32(Readiness.writable.rawValue))
        #expect(try stage.readyTokens() == [stage.key.rawValue])
    }

    @Test func `what epoll refused is not believed`() throws {
        let stage = try Stage()
        var isRefusing = true
        stage.kernel.fault = { call, _, _ in
            isRefusing && call == .epollControl ? .error(ENOMEM) : nil
        }
        #expect(throws: SystemError.self) { try stage.change(to: .writable) }
        #expect(throws: SystemError.self) { try stage.leaveEpoll() }
        #expect(stage.watch.isInterested(in: .readable))
        isRefusing = false
        try stage.leaveEpoll()
        isRefusing = true
        #expect(throws: SystemError.self) { try stage.change(to: .readable) }
        #expect(!stage.watch.isInEpoll)
    }
}
