// The limits of a run's reactor, and the options and limits of its sessions.
import TronTestKit

@testable import Tron

extension World {
    /// How many of a thousand runs relay: large packets take time.
    static let relayingRuns = 30

    static func drawLimits(_ chance: Chance, isRelaying: Bool) -> ReactorLimits {
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn =
            isRelaying ? chance.pick(16_384, 100_000) : chance.pick(16, 100, 1000, 16_384)
        limits.maximumTimersPerTurn = chance.pick(1, 3, 1024)
        limits.maximumWorkPerTurn = chance.pick(1, 1024)
        limits.maximumWaitingWork = chance.pick(1, 4, 1024)
        limits.maximumFlushesPerTurn = chance.pick(1, 2, 1024)
        limits.maximumReleasesPerTurn = chance.pick(1, 2, 1024)
        limits.maximumIdleBufferBytes = chance.pick(0, 16_384, 1 << 20)
        limits.farewellTimeout = .milliseconds(chance.pick(0, 30, 1000))
        return limits
    }

    func drawSessionOptions() -> SessionOptions {
        var options = SessionOptions()
        options.limits = drawSessionLimits()
        if habits.has(.idleTimes) {
            let times: [Duration?] = [
                nil, nil, nil, .milliseconds(30), .milliseconds(500), .seconds(5),
            ]
            options.idle.read = chance.pick(from: times) ?? nil
            options.idle.write = chance.pick(from: times) ?? nil
            options.idle.either = chance.pick(from: times) ?? nil
        }
        options.overflow = habits.has(.refusals) ? .refuse : chance.pick(.close, .refuse)
        options.pausesReadingAboveHighWatermark = chance.hits(500)
        if habits.has(.halfClose) {
            options.allowsHalfClose = chance.hits(run.faults.isOn(.halfClose) ? 700 : 300)
        }
        if habits.has(.heartbeats) && chance.hits(habits.has(.death) ? 600 : 300) {
            options.heartbeat = Heartbeat(
                category: WirePacket.heartbeat,
                interval: .milliseconds(max(length / 100, chance.pick(20, 300))),
                answers: chance.hits(700))
        }
        if habits.has(.death) && chance.hits(800) {
            options.deadAfter = chance.pick(.seconds(1), .seconds(3))
        }
        return options
    }

    private func drawSessionLimits() -> SessionLimits {
        var limits = SessionLimits()
        limits.maximumDataLength = chance.pick(64, 500, 5000, 20_000)
        limits.maximumQueuedBytes =
            habits.has(.tightOutput)
            ? chance.pick(100, 1000, 10_000) : chance.pick(1000, 10_000, 60_000)
        limits.outputHighWatermark = limits.maximumQueuedBytes / chance.pick(1, 2, 10)
        limits.outputLowWatermark = limits.outputHighWatermark / chance.pick(1, 2, 4, 1000)
        if isHeavy {
            limits.maximumDataLength = 20_000
            limits.maximumQueuedBytes = 200_000
            limits.outputHighWatermark = 100_000
        }
        if isRelaying {
            limits.maximumDataLength = chance.pick(20_000, 65_536)
            limits.maximumQueuedBytes = chance.pick(60_000, 300_000)
            limits.outputHighWatermark = limits.maximumQueuedBytes / chance.pick(1, 2, 4)
            limits.outputLowWatermark = limits.outputHighWatermark / chance.pick(1, 4)
        }
        if run.faults.isOn(.sentThrough) {
            limits.sentThroughLength = chance.pick(1, 50, 500, 5000)
        }
        limits.forwardedAtOnceLength = chance.pick(1, 2000, 16 << 10)
        if habits.has(.packetTimes) {
            limits.packetTimeout = chance.pick(nil, .milliseconds(20), .seconds(1))
        }
        limits.closeTimeout = chance.pick(
            .zero, .milliseconds(5), .milliseconds(100), .seconds(2), .seconds(2))
        limits.maximumOwedReplies = chance.pick(1, 2, 5, 1000)
        limits.reservedReplyLength = chance.pick(0, 50, 1000, 20_000)
        limits.maximumDiscardedBytes = chance.pick(0, 500, 1 << 20)
        limits.halfCloseTimeout = chance.pick(.milliseconds(10), .seconds(1))
        if habits.has(.rates) && chance.hits(400) {
            limits.maximumPacketRate = RateLimit(
                perSecond: chance.pick(20, 100, 1000), burst: chance.pick(1, 3, 20))
        }
        limits.maximumBytesBeforeTask = chance.pick(0, 200, 8192)
        return limits
    }
}
