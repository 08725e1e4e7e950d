// What leaves as it came: sent from where it was received, with its neighbours, in one call.

// An echo, a relay and a broadcast send bytes that lie in the receive buffer already, header and
// trailer included. They wait there, and are offered to the kernel before the buffer is used again;
// only what it does not take is copied. What lies there is known by its address and its bytes
// alone, so that nobody has to say that it forwards.

extension Session {
    /// Bytes of a packet, or of a send of bytes, below which a copy costs less than to look for it
    /// in the receive buffer: where a session answers within its own batch, each packet continues
    /// what lies there before it.
    static let shortestForwarded = 256

    /// The same where it goes to another session, mostly one packet at a time.
    static let shortestForwardedElsewhere = 1024

    /// Whether a batch begins with a packet that may be forwarded. Credit would have it copied, and
    /// those behind it, too.
    @inline(__always)
    func mayForward(_ batch: UnsafeRawBufferPointer) -> Bool {
        guard batch.count >= Self.shortestForwarded, let packet = batch.baseAddress else {
            return false
        }
        return unsafe PacketFormat.dataLength(packet) >= Self.shortestForwarded
    }

    private var shortestForwarded: Int {
        outbound.isLent ? Self.shortestForwarded : Self.shortestForwardedElsewhere
    }

    /// Queues a packet without a copy if it lies in the receive buffer as it is to be sent. False,
    /// and nothing has happened, where it does not, or cannot wait there.
    func forwards(_ head: UInt64, _ data: UnsafeRawBufferPointer) -> Bool {
        guard data.count &+ PacketFormat.overhead >= shortestForwarded,
            let received = unsafe registry.received(
                data, before: PacketFormat.headerLength, behind: PacketFormat.trailerLength),
            let packet = received.baseAddress,
            unsafe PacketFormat.isWritten(head: head, dataLength: data.count, at: packet)
        else { return false }
        return unsafe forward(received)
    }

    /// Queues the packet that follows the last forwarded one where both were received, which needs
    /// fewer looks than the first: the run was begun in this very batch. False, and nothing has
    /// happened, where it does not follow, or one of the limits is near.
    @inline(__always)
    func continuesRun(_ head: UInt64, _ data: UnsafeRawBufferPointer) -> Bool {
        guard outbound.hasRun && registry.isOnLoop, data.count <= settings.maximumDataLength else {
            return false
        }
        return unsafe outbound.continueRun(
            head, data, atMost: settings.runCapacity, before: registry.receiveEnd)
    }

    /// The same for bytes.
    func forwards(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= shortestForwarded,
            let received = unsafe registry.received(bytes, before: 0, behind: 0)
        else { return false }
        return unsafe forward(received)
    }

    /// A session's own batch ends with what it forwards to itself; others are told when it does.
    private func forward(_ received: UnsafeRawBufferPointer) -> Bool {
        let isFirst = !outbound.hasRun
        guard registry.isOnLoop, outbound.writing == .open,
            outbound.count + received.count <= settings.outboundCapacity,
            unsafe outbound.forward(received, period: registry.outputPeriod, buffers)
        else { return false }
        if isFirst && !outbound.isLent {
            registry.forwards(self)
            flushLater()
        }
        pauseAboveHighWatermark()
        return true
    }

    /// The batch is over whose bytes it has not sent.
    func endForwarding() {
        let isMuch = outbound.count >= settings.options.limits.forwardedAtOnceLength
        if outbound.hasRun && isMuch && !hasEnded && !outbound.isBlocked {
            do throws(SystemError) { try offer() } catch { fail(error) }
        }
        outbound.ownRun(buffers)
    }
}

extension Registry {
    @inline(__always)
    fileprivate var receiveEnd: UnsafeRawPointer {
        unsafe UnsafeRawPointer(receiveBuffer.baseAddress.unsafelyUnwrapped) + receiveBuffer.count
    }

    /// These bytes with as many before and behind them, if all of them lie in the receive buffer.
    fileprivate func received(
        _ bytes: UnsafeRawBufferPointer, before: Int, behind: Int
    ) -> UnsafeRawBufferPointer? {
        guard let start = bytes.baseAddress, let buffer = unsafe receiveBuffer.baseAddress else {
            return nil
        }
        let offset = unsafe start - UnsafeRawPointer(buffer)
        let room = unsafe receiveBuffer.count
        guard offset >= before, offset <= room, bytes.count <= room - offset - behind else {
            return nil
        }
        return unsafe UnsafeRawBufferPointer(
            start: start - before, count: before + bytes.count + behind)
    }
}
