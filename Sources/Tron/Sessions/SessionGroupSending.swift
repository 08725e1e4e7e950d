// Sending to the members of a group: each gets the whole packet or, by its own limits, none of it.

/// How many members of a group met which outcome.
public struct SendCounts: Hashable, Sendable {
    /// Members whose packet was taken.
    public var queued = 0
    /// Members that were closing or closed.
    public var closed = 0
    /// Members for which it was more data than a packet may have.
    public var tooLarge = 0
    /// Members for which more would have waited than `SessionLimits.maximumQueuedBytes`. By its
    /// `SessionOptions.overflow` each is unharmed, or being ended for it.
    public var overflow = 0

    /// All zero.
    public init() {}

    /// To how many it was to be sent.
    public var total: Int { queued + closed + tooLarge + overflow }

    mutating func add(_ outcome: SendOutcome) {
        switch outcome {
        case .queued: queued &+= 1
        case .closed: closed &+= 1
        case .tooLarge, .overCapacity: tooLarge &+= 1
        case .overflow, .interrupted: overflow &+= 1
        }
    }
}

extension SessionGroup {
    /// Queues a packet for each member, but for `except`: in a chat, who said it. The data is
    /// copied into the output of each.
    ///
    /// Each member takes it as by `Session.send`, within its own limits, and none waits for another
    /// or calls a handler: a member that ends for overflow is told so at the turn's end, and leaves
    /// then. On the loop's thread.
    ///
    /// `sequence` -1 belongs to no request.
    @discardableResult
    public func send(
        sequence: Int32 = -1, category: UInt8, data: RawSpan, except: Session? = nil
    ) -> SendCounts {
        let head = PacketFormat.head(sequence: sequence, category: category)
        return count(except: except) { $0.enqueue(head: head, data) }
    }

    /// Queues a packet whose data is a text's UTF-8.
    @discardableResult
    public func send(
        sequence: Int32 = -1, category: UInt8, data: String, except: Session? = nil
    ) -> SendCounts {
        unsafe send(
            sequence: sequence, category: category, data: data.utf8Span.span.bytes, except: except)
    }

    /// Queues a packet.
    @discardableResult
    public func send(
        sequence: Int32 = -1, category: UInt8, data: [UInt8], except: Session? = nil
    ) -> SendCounts {
        unsafe send(sequence: sequence, category: category, data: data.span.bytes, except: except)
    }

    /// Queues a packet, and calls `refused` with each member that did not take it and why, once all
    /// have been offered it: so that who missed something can be told later, with
    /// `SessionOptions.overflow` of `.refuse`. The closure may do anything, to the group as well.
    @discardableResult
    public func send(
        sequence: Int32 = -1, category: UInt8, data: RawSpan, except: Session? = nil,
        refused: (Session, SendOutcome) -> Void
    ) -> SendCounts {
        let head = PacketFormat.head(sequence: sequence, category: category)
        return count(except: except, { $0.enqueue(head: head, data) }, refused: refused)
    }

    /// The same with bytes of the caller's own.
    @discardableResult
    public func send(
        sequence: Int32 = -1, category: UInt8, data: [UInt8], except: Session? = nil,
        refused: (Session, SendOutcome) -> Void
    ) -> SendCounts {
        unsafe send(
            sequence: sequence, category: category, data: data.span.bytes, except: except,
            refused: refused)
    }

    /// Queues bytes as they are, for other protocols.
    @discardableResult
    public func send(bytes: RawSpan, except: Session? = nil) -> SendCounts {
        count(except: except) { $0.send(bytes: bytes) }
    }

    /// Queues a text's UTF-8 as it is, for other protocols.
    @discardableResult
    public func send(bytes: String, except: Session? = nil) -> SendCounts {
        unsafe send(bytes: bytes.utf8Span.span.bytes, except: except)
    }

    /// Queues bytes as they are, for other protocols.
    @discardableResult
    public func send(bytes: [UInt8], except: Session? = nil) -> SendCounts {
        unsafe send(bytes: bytes.span.bytes, except: except)
    }

    /// Queues bytes as they are, and calls `refused` with each member that did not take them and
    /// why, as it is for packets.
    @discardableResult
    public func send(
        bytes: RawSpan, except: Session? = nil, refused: (Session, SendOutcome) -> Void
    ) -> SendCounts {
        count(except: except, { $0.send(bytes: bytes) }, refused: refused)
    }

    /// The same with bytes of the caller's own.
    @discardableResult
    public func send(
        bytes: [UInt8], except: Session? = nil, refused: (Session, SendOutcome) -> Void
    ) -> SendCounts {
        unsafe send(bytes: bytes.span.bytes, except: except, refused: refused)
    }
}
