// The options of sessions in nanoseconds and bytes: what is looked at on a packet's way.

/// The options in the form that sessions read.
struct SessionSettings: Sendable {
    let options: SessionOptions
    let maximumDataLength: Int
    let highWatermark: Int
    let lowWatermark: Int
    let outboundCapacity: Int
    /// What may be queued at most before the limits are looked at again: no more than one largest
    /// packet, so that no larger one passes, and less than one that is sent through.
    let packetCredit: Int
    /// How much may wait in the receive buffer before the limits are looked at.
    let runCapacity: Int

    /// Times in nanoseconds; `never` where there is no limit.
    let idleRead: Int64
    let idleWrite: Int64
    let idleEither: Int64
    let packetTimeout: Int64
    let heartbeatInterval: Int64
    /// -1 when there is none.
    let heartbeatCategory: Int
    /// How long a peer may give no sign of life.
    let silence: Int64

    /// Whether a session has a deadline or a pace from its beginning on. Those that have none do
    /// not look for it, which would be 7 % of a connection's instructions.
    let hasDutiesAtOnce: Bool

    static let never = Int64.max

    init(_ options: SessionOptions) {
        options.limits.validate()
        options.validateLiveness()
        options.validateSendBuffer()
        self.options = options
        maximumDataLength = options.limits.maximumDataLength
        highWatermark = options.limits.outputHighWatermark
        lowWatermark = options.limits.outputLowWatermark
        outboundCapacity = options.limits.outboundCapacity
        packetCredit = min(
            highWatermark, maximumDataLength + PacketFormat.overhead,
            options.limits.sentThroughLength - 1)
        runCapacity = min(highWatermark, outboundCapacity)
        idleRead = Self.nanoseconds(options.idle.read)
        idleWrite = Self.nanoseconds(options.idle.write)
        idleEither = Self.nanoseconds(options.idle.either)
        packetTimeout = Self.nanoseconds(options.limits.packetTimeout)
        heartbeatInterval = Self.nanoseconds(options.heartbeat?.interval)
        heartbeatCategory = options.heartbeat.map { Int($0.category) } ?? -1
        silence = Self.nanoseconds(options.deadAfter)
        let times = [idleRead, idleWrite, idleEither, heartbeatInterval, silence]
        hasDutiesAtOnce =
            times.contains { $0 != Self.never } || options.limits.maximumPacketRate != nil
    }

    private static func nanoseconds(_ duration: Duration?) -> Int64 {
        duration.map { max(1, $0.clampedNanoseconds) } ?? never
    }
}
