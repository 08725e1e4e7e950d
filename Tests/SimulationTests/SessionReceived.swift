// What a session hands to its handler of whatever kind: its peer's stream, nothing of it twice.
import TronTestKit

@testable import Tron

/// What takes a session's input.
enum Receiver: Hashable {
    case packets, bytes
    /// Frames that are packets, lines, and what ends with another delimiter.
    case frames, lines, delimited
    /// Packets that a task awaits.
    case task
}

/// The protocol's packets, as a framing of an application's own.
struct WireFraming: Framing {
    let maximumFrameLength: Int
    /// Asked about each frame: a step to answer that cannot be, or nil.
    var misleads: (_ length: Int, _ count: Int) -> FramingStep<Range<Int>>? = { _, _ in nil }

    func nextFrame(in bytes: RawSpan) -> FramingStep<Range<Int>> {
        bytes.withUnsafeBytes { bytes in
            guard bytes.count >= 9 else { return .needs(atLeast: 9) }
            let length = bytes[5..<9].reduce(0) { $0 << 8 | Int($1) }
            if length + 11 > maximumFrameLength { return .fault(.dataTooLong(announced: length)) }
            if bytes.count < length + 11 { return .needs(atLeast: length + 11) }
            if let step = misleads(length + 11, bytes.count) { return step }
            return .frame(9..<(9 + length), length: length + 11)
        }
    }
}

extension SessionRecord {
    var received: [(packet: WirePacket, end: Int)] { end.other?.log.packets ?? [] }

    /// Which packet its handler has to see next; nil when the other end has sent no further.
    var nextToDeliver: Int? {
        let log = received
        return (delivered..<max(delivered, log.count)).first { index in
            let packet = log[index].packet
            return packet.length > options.limits.maximumDataLength || !mayBeSwallowed(packet)
        }
    }

    /// Heartbeats do not reach the handler, nor do answers to requests that were ever made: an
    /// answer with any other sequence does.
    private func mayBeSwallowed(_ packet: WirePacket) -> Bool {
        if packet.category == WirePacket.heartbeat && options.heartbeat != nil { return true }
        return client != nil && packet.sequence >= 0
    }

    /// Nothing is delivered to whoever has asked that nothing be, or after the goodbye.
    private func mayDeliver(_ what: StaticString) {
        called(what)
        run.expect(!isPaused, "\(what) of session \(id) was called although it is paused")
        run.expect(!isDrained, "\(what) of session \(id) was called after it was drained")
        run.expect(misled == nil, "\(what) of session \(id) was called after it was misled")
        run.expect(!session.isClosing, "\(what) was called while session \(id) closes")
        if hasBeenPaused { run.met(.resumed) }
        hasBeenPaused = false
        if hasSwitched { run.met(.switchedHandlers) }
        hasSwitched = false
        awaitsCall = false
        times.consumed = run.turnStart
        // A handler of bytes takes them as they come.
        guard receiver != .bytes, rate != nil else { return }
        run.expect(
            rate?.allowsOneMore(at: run.turnStart) == true,
            "session \(id) takes more packets than its rate allows")
    }

    func deliver(_ sequence: Int32, _ category: UInt8, _ data: UnsafeRawBufferPointer) {
        run.note(.packet, end.serial, data.count, "(\(sequence), \(category)) to the handler")
        // What a task takes has waited, perhaps for longer than the session has.
        if receiver == .task {
            times.consumed = run.turnStart
            run.met(.taskReceived)
        } else {
            mayDeliver("the packet handler")
        }
        let log = received
        let last = nextToDeliver ?? log.count - 1
        let index = (delivered..<max(delivered, last + 1)).first {
            log[$0].packet.matches(sequence, category, data)
        }
        guard let index, log[index].packet.length <= options.limits.maximumDataLength else {
            return run.fail(
                "session \(id) delivers (\(sequence), \(category), \(data.count) bytes) in place "
                    + "of \(log.indices.contains(last) ? log[last].packet.description : "nothing")")
        }
        position = log[index].end
        run.expect(
            position <= end.receivedTotal && position <= sound, "a packet came before its bytes")
        delivered = index + 1
        lastDelivered = log[index].packet
    }

    /// How much of the other end's stream is to be trusted by the limits of this session.
    var sound: Int { end.other?.log.fault?.start ?? .max }

    /// The handler of bytes sees what has come and was not consumed, and consumes some of it.
    func deliver(bytes: UnsafeRawBufferPointer, consuming count: Int) {
        run.note(.bytes, end.serial, bytes.count)
        let consumed = times.consumed
        mayDeliver("the bytes handler")
        expectStream(bytes)
        guard count > 0 else {
            times.consumed = consumed
            return noteRefusal()
        }
        run.met(.tookBytes)
        refusals.count = 0
        consume(count)
    }

    /// A handler that takes nothing is called once for what is kept and once for what comes,
    /// however often it is replaced.
    private func noteRefusal() {
        if refusals.turn != world.kernel.turns { refusals = (world.kernel.turns, 0) }
        refusals.count += 1
        run.expect(
            refusals.count <= 8,
            "session \(id) calls handlers that take nothing \(refusals.count) times in a turn")
    }

    /// The handler of frames is given the next one, whole.
    func deliver(frame: UnsafeRawBufferPointer) {
        run.note(.frame, end.serial, frame.count)
        mayDeliver("the frame handler")
        run.expect(
            nextFrame?.count == frame.count,
            "session \(id) delivers a frame of \(frame.count) bytes in place of "
                + "\(nextFrame.map { "\($0.count)" } ?? "none")")
        expectStream(frame)
        switch receiver {
        case .lines: run.met(.tookLines)
        case .delimited: run.met(.tookDelimited)
        default: run.met(.tookFrames)
        }
        consume(frame.count)
    }

    private func expectStream(_ bytes: UnsafeRawBufferPointer) {
        let stream = end.other?.log.bytes[position...] ?? []
        run.expect(
            position + bytes.count <= end.receivedTotal
                && stream.prefix(bytes.count).elementsEqual(bytes),
            "session \(id) delivers bytes that are not the stream's from \(position) on")
    }

    private func consume(_ count: Int) {
        position += count
        let log = received
        while delivered < log.count && log[delivered].end <= position { delivered += 1 }
    }

    /// Whether what comes next begins a packet, so that a handler of packets may take over.
    var isAtPacket: Bool {
        position == (delivered == 0 ? 0 : received[delivered - 1].end) && position <= sound
    }

    /// Whether an answer lies behind the last packet delivered: nobody here sees whether the
    /// session has taken it yet, so that it is not known where a handler of another kind begins.
    var mayHaveTakenAnswers: Bool {
        guard receiver == .packets, received.indices.contains(delivered) else { return false }
        let next = received[delivered]
        return next.end <= end.receivedTotal && mayBeSwallowed(next.packet)
    }

    /// How many of so many bytes lead to the end of a packet; nil when none does.
    func countToPacket(within count: Int) -> Int? {
        let log = received
        guard log.indices.contains(delivered), log[delivered].end - position <= count else {
            return nil
        }
        return log[delivered].end - position
    }
}
