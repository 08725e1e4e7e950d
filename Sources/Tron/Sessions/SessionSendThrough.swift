// Large packets: offered to the kernel from where their data lies, and copied as far as it refuses.

extension Session {
    /// Whether the kernel may be asked now, and the packet be queued if it takes nothing.
    func canSendThrough(_ length: Int) -> Bool {
        !outbound.isBlocked && outbound.count + length <= settings.outboundCapacity
    }

    /// Sends what waits and a packet behind it, in one call. What the kernel does not take of them
    /// waits: the packet is taken whole all the same, unless the connection has failed.
    @inline(never)
    func sendThrough(_ head: UInt64, _ data: RawSpan) -> SendOutcome {
        do throws(SystemError) {
            try unsafe data.withUnsafeBytes { data throws(SystemError) in
                let trailer = PacketFormat.trailer.bigEndian
                try unsafe withUnsafeBytes(of: trailer) { trailer throws(SystemError) in
                    try unsafe sendThrough(head, data, trailer)
                }
            }
        } catch {
            fail(error)
            return refuse(.closed)
        }
        outbound.countPacket()
        if !outbound.isLent { flushLater() }
        pauseAboveHighWatermark()
        return .queued
    }

    private func sendThrough(
        _ head: UInt64, _ data: UnsafeRawBufferPointer, _ trailer: UnsafeRawBufferPointer
    ) throws(SystemError) {
        outbound.setDraftAside(buffers)
        // To send it as well takes one call more, to copy it more time than that.
        if outbound.hasRun { try offer() }
        outbound.appendHeader(head, data.count, period: registry.outputPeriod, buffers)
        let (waiting, isAll) = unsafe outbound.firstPart
        // Across the ring's end it would take a fourth piece.
        guard isAll else { return unsafe outbound.append(data, trailer, from: buffers) }
        let count =
            try unsafe registry.sockets.send(
                waiting, then: data, then: trailer, to: descriptor) ?? 0
        unsafe outbound.noteOffered(
            taken: count, then: data, trailer, now: registry.now, buffers)
    }
}
