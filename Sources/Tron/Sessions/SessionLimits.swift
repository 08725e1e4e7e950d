// The bounds of a session: each with its name, its unit, its default, and the reason for that.

/// What one session may hold, and how long its steps may take.
public struct SessionLimits: Sendable, Hashable {
    /// Bytes of data in a packet, received or sent. Default 1 MiB; at most 1 GiB. A frame may have
    /// as many bytes in all, and a handler of raw bytes may leave as many unconsumed.
    public var maximumDataLength = 1 << 20

    /// Waiting output, in bytes, above which the session stops reading and says that it is not
    /// writable. Default 512 KiB: two reads' worth, so that an echo never meets it while its peer
    /// reads.
    public var outputHighWatermark = 512 << 10

    /// Waiting output, in bytes, at or below which it reads again. Default 128 KiB: far enough
    /// below the high mark that the two do not alternate with every write.
    public var outputLowWatermark = 128 << 10

    /// Waiting output, in bytes, that is not exceeded but by replies that were owed. Default 3 MiB,
    /// which with the room for those fits a block of 4 MiB. It is raised to hold one packet of
    /// `maximumDataLength`. What the kernel holds for the peer is not in it: see
    /// `SessionOptions.sendBuffer`.
    public var maximumQueuedBytes = 3 << 20

    /// Replies that may be owed at the same time (`Session.replyAddress(of:)`): at so many the
    /// session stops reading until one is given or refused. At least 1. Default 1,024: as many as
    /// fit the requests of a busy peer, in some kilobytes.
    public var maximumOwedReplies = 1024

    /// Bytes of data in an owed reply that always has room: beside `maximumQueuedBytes` so much is
    /// there for each of `maximumOwedReplies`, and while more waits than `maximumQueuedBytes` the
    /// session does not read. Default 1,000, in all 1 MB. A larger reply counts as any packet.
    /// Who gives large replies later sets this to the largest, and `maximumOwedReplies` to how many
    /// may be in the making at the same time: together at most 512 MiB.
    public var reservedReplyLength = 1000

    /// Time from the first byte of a packet or frame to its last, while the session reads. Default
    /// 60 s: a full packet at 17 KiB/s. A peer that sends a byte a second cannot hold memory for
    /// longer. Nil: no limit.
    public var packetTimeout: Duration? = .seconds(60)

    /// Time that `close()` waits: for waiting output to leave and then for the peer's end of
    /// stream. Default 10 s: some retransmissions.
    public var closeTimeout: Duration = .seconds(10)

    /// Bytes that `close()` reads and discards while it waits for the peer's end of stream; with
    /// unread input, the kernel would reset the connection and so destroy output on its way
    /// (RFC 1122, 4.2.2.13). Default 64 MiB: what a fast peer sends before it can have noticed.
    public var maximumDiscardedBytes = 64 << 20

    /// Time that a half-closed session may live on after its peer's end of stream. Default 60 s.
    public var halfCloseTimeout: Duration = .seconds(60)

    /// Bytes of received packets that wait for a session's task (`Session.task`), above which
    /// reading pauses; each packet counts 64 bytes more than its data. Default 8 KiB: as with the
    /// smallest block of output, a batch of small packets. 0: a single packet waits.
    public var maximumBytesBeforeTask = 8 << 10

    /// Packets or frames, or parts that a handler of bytes consumes, a second and at once. Above it
    /// the session does not read, so that its peer has to wait; nothing is lost. Nil, the default:
    /// no limit, since back pressure by `outputHighWatermark` keeps up with most.
    public var maximumPacketRate: RateLimit?

    /// From this length on, with its overhead, a packet is offered to the kernel from where its
    /// data lies, and only what that does not take is copied. Below it the copy costs no more than
    /// the calls that it saves.
    var sentThroughLength = 64 << 10

    /// What is forwarded on other sessions than it came on is sent at its batch's end from so many
    /// bytes on. Less is copied, and sent with what others add to it in the same turn: a call for
    /// each source would cost more.
    var forwardedAtOnceLength = 16 << 10

    /// The defaults.
    public init() {}

    /// The most that may wait to be sent, with room for one packet of the largest size.
    var outboundCapacity: Int { max(maximumQueuedBytes, maximumDataLength + PacketFormat.overhead) }

    /// The longest owed reply that has room of its own, in bytes of its packet.
    var reservedReply: Int {
        min(reservedReplyLength, maximumDataLength) + PacketFormat.overhead
    }

    /// The most that may wait to be sent when owed replies are part of it.
    var outboundCapacityWithReplies: Int { outboundCapacity + maximumOwedReplies * reservedReply }

    /// As long as no more is kept of what was received, more is read behind it: one packet of the
    /// largest size.
    var mostReadBehind: Int { maximumDataLength + PacketFormat.overhead }

    /// Traps on bounds that contradict each other.
    func validate() {
        demand((0...1 << 30).contains(maximumDataLength), "maximumDataLength: 0 to 1 GiB")
        demand((1...1 << 30).contains(maximumQueuedBytes), "maximumQueuedBytes: 1 byte to 1 GiB")
        demand(
            (0...maximumQueuedBytes).contains(outputHighWatermark),
            "outputHighWatermark: 0 to maximumQueuedBytes")
        demand(
            (0...outputHighWatermark).contains(outputLowWatermark),
            "outputLowWatermark: 0 to outputHighWatermark")
        demand(
            (0...1 << 30).contains(maximumBytesBeforeTask), "maximumBytesBeforeTask: 0 to 1 GiB")
        demand(
            (1...1 << 20).contains(maximumOwedReplies), "maximumOwedReplies: 1 to 2^20")
        demand(
            (0...1 << 30).contains(reservedReplyLength)
                && maximumOwedReplies * reservedReply <= 1 << 29,
            "reservedReplyLength: not negative, and for maximumOwedReplies at most 512 MiB")
        demand(maximumDiscardedBytes >= 0, "maximumDiscardedBytes: not negative")
        demand(closeTimeout >= .zero, "closeTimeout: not negative")
        demand(halfCloseTimeout >= .zero, "halfCloseTimeout: not negative")
    }
}
