// How a session hands bytes that are not packets to their handler, frame by frame.

extension Session {
    /// Has the handler take what it will. What was received now is read where it lies; only what
    /// completes a kept beginning is copied behind that.
    ///
    /// The handler is held for the whole batch; the interruption ends the batch when it is
    /// replaced.
    @inline(never)
    func deliverStream(_ fresh: inout UnsafeRawBufferPointer, _ handler: StreamHandler) {
        if inbound.hasKept, unsafe !takeKept(&fresh, handler) { return }
        let take = handler.take
        while unsafe !fresh.isEmpty {
            let bytes = unsafe fresh
            let step = unsafe take(self, bytes.bytes)
            guard case .took(let count) = step else {
                return tookNothing(step, handler, of: bytes.count)
            }
            unsafe fresh.move(by: count)
            if inbound.isInterrupted { return }
        }
    }

    /// What is kept comes first, with as much behind it as it lacks. Whether the batch goes on:
    /// nothing is kept any more.
    private func takeKept(
        _ fresh: inout UnsafeRawBufferPointer, _ handler: StreamHandler
    ) -> Bool {
        // So many of the kept bytes, the last ones, are copies of those just before `fresh`.
        var joined = 0
        while inbound.hasKept {
            joined += unsafe join(&fresh, handler)
            if handler.needed > inbound.keptCount { return false }
            let bytes = unsafe inbound.keptBytes
            let step = unsafe handler.take(self, bytes.bytes)
            if case .took(let count) = step {
                handler.note(step)
                let left = inbound.keptCount - count
                let isBehind = left <= joined
                inbound.consumeKept(isBehind ? count + left : count)
                if isBehind { unsafe fresh.move(by: -left) }
            } else {
                tookNothing(step, handler, of: bytes.count)
                if unsafe fresh.isEmpty { return false }
            }
            if inbound.isInterrupted { return false }
        }
        return true
    }

    /// Copies what the handler lacks from the front of `fresh` behind what is kept: how much that
    /// is.
    private func join(_ fresh: inout UnsafeRawBufferPointer, _ handler: StreamHandler) -> Int {
        let count = handler.joins(fresh.count, to: inbound.keptCount)
        unsafe inbound.keep(UnsafeRawBufferPointer(rebasing: fresh[..<count]), nil, buffers)
        unsafe fresh.move(by: count)
        return count
    }

    /// Of bytes that stay, so many are too many, unless they wait for reading to go on or for
    /// another handler: nothing is read behind them meanwhile.
    private func tookNothing(_ step: StreamStep, _ handler: StreamHandler, of count: Int) {
        handler.note(step)
        if case .fault(let fault) = step { return faulted(fault) }
        guard handler.wantsEverything, count > settings.maximumDataLength, inbound.isReading,
            rareState?.streamHandler === handler
        else { return }
        faulted(.tooManyUnconsumedBytes(count))
    }
}

extension UnsafeRawBufferPointer {
    /// Begins `count` bytes later, or earlier, and ends where it did.
    fileprivate mutating func move(by count: Int) {
        guard let base = baseAddress else { return }
        unsafe self = .init(start: base + count, count: self.count &- count)
    }
}
