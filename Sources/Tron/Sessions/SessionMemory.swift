// How much memory the limits of a session come to.

extension SessionLimits {
    /// The memory that a session's buffers and debts can take at most, in bytes. Buffers are powers
    /// of two, and while one grows its predecessor is still there; a handler that pauses within a
    /// batch leaves a whole read behind what was kept before. What a closure writes may lie in a
    /// block beside the queue's; closures within closures of the same session may have one each.
    func memoryBound(maximumBytesReadPerTurn: Int) -> Int {
        let kept = mostReadBehind + maximumBytesReadPerTurn
        let outbound = BufferPool.capacity(for: outboundCapacityWithReplies)
        return 2 * outbound + BufferPool.capacity(for: 2 * kept) * 3 / 2
            + Debts.memoryBound(maximumOwedReplies)
    }

    /// What waits for a session's task at most, in bytes: one packet beyond the bound.
    var memoryBoundOfTask: Int {
        2 * maximumBytesBeforeTask + maximumDataLength + AsyncSession.bytesPerPacket
    }
}
