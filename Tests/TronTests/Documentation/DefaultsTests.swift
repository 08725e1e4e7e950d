// The defaults that the documentation names, and what limits are when nobody sets them.
import Testing

@testable import Tron

@Suite struct DefaultsTests {
    @Test func `a reactor's limits are the documented ones`() {
        let limits = ReactorLimits()
        #expect(limits.maximumBytesReadPerTurn == 256 << 10)
        #expect(limits.maximumTimersPerTurn == 1024 && limits.maximumWorkPerTurn == 1024)
        #expect(limits.maximumFlushesPerTurn == 1024 && limits.maximumReleasesPerTurn == 1024)
        #expect(limits.maximumWaitingWork == 65_536)
        #expect(limits.maximumIdleBufferBytes == 32 << 20)
        #expect(limits.farewellTimeout == .seconds(1))
    }

    @Test func `a session's limits are the documented ones`() {
        let limits = SessionLimits()
        #expect(limits.maximumDataLength == 1 << 20)
        #expect(limits.outputHighWatermark == 512 << 10 && limits.outputLowWatermark == 128 << 10)
        #expect(limits.maximumQueuedBytes == 3 << 20)
        #expect(limits.maximumOwedReplies == 1024 && limits.reservedReplyLength == 1000)
        #expect(limits.outboundCapacityWithReplies <= 4 << 20)
        #expect(limits.packetTimeout == .seconds(60) && limits.closeTimeout == .seconds(10))
        #expect(limits.halfCloseTimeout == .seconds(60))
        #expect(limits.maximumDiscardedBytes == 64 << 20)
        #expect(limits.maximumBytesBeforeTask == 8 << 10)
    }

    @Test func `a session's options are the documented ones, at both ends`() {
        for (options, pauses) in [(SessionOptions(), true), (SessionOptions.client, false)] {
            #expect(options.limits == SessionLimits() && options.idle == IdleTimeouts())
            #expect(options.idle.read == nil && options.idle.write == nil)
            #expect(options.idle.either == nil)
            #expect(options.overflow == .close && !options.allowsHalfClose)
            #expect(options.noDelay && options.userTimeout == nil && options.sendBuffer == nil)
            let keepalive = Keepalive(idle: .seconds(5), interval: .seconds(5), probes: 3)
            #expect(options.keepalive == keepalive)
            #expect(options.deadAfter == nil && options.heartbeat == nil)
            #expect(options.pausesReadingAboveHighWatermark == pauses)
        }
        #expect(Heartbeat(category: 1, interval: .seconds(1)).answers)
    }

    @Test func `a server's and a client's options are the documented ones`() {
        let server = ServerOptions()
        #expect(server.limits.maximumSessions == 100_000)
        #expect(server.limits.maximumSessionsPerAddress == nil)
        #expect(server.limits.backlog == 4096 && server.limits.maximumAcceptsPerTurn == 64)
        #expect(!server.reusesPort && server.session.pausesReadingAboveHighWatermark)
        let client = ClientOptions()
        #expect(client.connectTimeout == .seconds(10) && client.stablePeriod == nil)
        #expect(client.proof == .reception)
        #expect(client.timeoutsBeforeReconnect == 1 && client.whileDisconnected == .wait)
        #expect(client.maximumPendingRequests == 65_536 && client.maximumCopiedRequests == 1024)
        #expect(client.jitterSeed == nil && !client.session.pausesReadingAboveHighWatermark)
    }

    @Test func `256 clients dial at a time, unless the reactor is told otherwise`() throws {
        #expect(try Reactor(kernel: FaultyKernel()).maximumSimultaneousAttempts == 256)
    }

    @Test func `a service drains within eight seconds, all sessions at once`() {
        let service = ReactorService { _ in }
        #expect(service.drain.deadline == .seconds(8) && service.drain.spread == .zero)
    }

    @Test func `a group has a reactor for each processor, and drains as a service does`() {
        let group = ReactorGroup()
        #expect(group.count == Processors.ofCallingThread().count && group.pins == nil)
        #expect(group.run.drain == ReactorService { _ in }.drain)
        #expect(group.run.drain.notice == .zero)
    }

    @Test func `a server stops listening at once when it drains, one of a group within 200 ms`() {
        #expect(ServerOptions().drainWindow == nil)
        #expect(SharedServer.drainWindow == .milliseconds(200))
    }

    @Test func `lines have 64 KiB at most`() {
        #expect(LineFraming().maximumFrameLength == 65_538)
        #expect(LineFraming.lines().maximumFrameLength == 65_538)
    }
}
