// What takes the input of a run's sessions: handlers of packets, bytes and frames, and tasks.
import TronTestKit

@testable import Tron

extension World {
    func drawReceiver(_ record: SessionRecord) {
        if habits.has(.adversaries) && chance.hits(100) {
            record.adversary = chance.pick(from: Adversary.allCases)
        }
        guard habits.has(.streams) else { return }
        // Others see the library's own packets, too.
        let share = record.client == nil ? 500 : 150
        guard record.options.heartbeat == nil && chance.hits(share) else { return }
        // The oracle takes its time over long lines.
        record.isVersatile = chance.hits(500) && !isRelaying
        record.receiver =
            isRelaying
            ? chance.pick(.bytes, .frames, .packets)
            : chance.pick(.bytes, .bytes, .frames, .lines, .delimited, .packets)
        record.isReluctant = record.receiver == .bytes && chance.hits(300)
    }

    /// Installs the handler again, or one of another kind: they count as one.
    func changeReceiver(_ record: SessionRecord) {
        guard !record.session.isClosing, record.receiver != .task, record.toldFault == nil
        else { return }
        if record.isVersatile && !record.mayHaveTakenAnswers {
            let former = record.receiver
            record.observeIncomplete()
            record.switched = (kernel.turns, record.times.incompleteSince)
            // From within a line or an odd part of a packet, only bytes lead on.
            record.receiver =
                record.isAtPacket
                ? chance.pick(.packets, .bytes, .frames)
                : chance.pick(.bytes, .lines, .delimited)
            record.hasSwitched = record.receiver != former
        }
        installReceiver(record)
    }

    func installReceiver(_ record: SessionRecord) {
        record.stir()
        record.awaitsCall = record.receiver == .bytes && record.incompleteBytes > 0
        let session = record.session
        switch record.receiver {
        case .task: return
        case .packets:
            session.onPacket { [unowned self, unowned record] _, packet in
                receive(packet, record)
            }
        case .bytes:
            session.onBytes { [unowned self, unowned record] _, bytes in
                bytes.withUnsafeBytes { receive(bytes: $0, record) }
            }
        case .frames:
            var framing = WireFraming(maximumFrameLength: record.longestFrame)
            if habits.has(.adversaries) {
                framing.misleads = { [unowned self, unowned record] length, count in
                    chance.hits(40) ? misframe(length, of: count, record) : nil
                }
            }
            session.onFrames(of: framing) { [unowned self, unowned record] _, frame in
                receive(frame.bytes, record)
            }
        case .lines:
            session.onFrames(of: .lines(maximumLength: record.longestContent)) {
                [unowned self, unowned record] _, frame in receive(frame.bytes, record)
            }
        case .delimited:
            let framing = DelimiterFraming.delimited(
                by: SessionRecord.delimiter, maximumLength: record.longestContent)
            session.onFrames(of: framing) { [unowned self, unowned record] _, frame in
                receive(frame.bytes, record)
            }
        }
    }

    private func receive(_ frame: RawSpan, _ record: SessionRecord) {
        frame.withUnsafeBytes { bytes in
            record.deliver(frame: bytes)
            handler(.frame, record.end.serial, of: record) {
                if record.isVersatile && chance.hits(200) { changeReceiver(record) }
                if chance.hits(200) { send(on: record) }
            }
        }
    }

    private func receive(bytes: UnsafeRawBufferPointer, _ record: SessionRecord) -> Int {
        var consumed = 0
        handler(.bytes, record.end.serial, of: record) {
            consumed = chance.hits(700) ? bytes.count : chance.between(0, bytes.count)
            if record.isVersatile, chance.hits(500) {
                consumed = record.countToPacket(within: bytes.count) ?? consumed
            }
            if record.isReluctant && chance.hits(900) { consumed = 0 }
            if record.adversary == .reinstalls { consumed = 0 }
            record.reluctance -= consumed == 0 ? 1 : 0
            if record.reluctance < 0 { consumed = bytes.count }
            if habits.has(.adversaries), !record.session.isClosing, chance.hits(40) {
                record.deliver(bytes: bytes, consuming: 0)
                consumed = miscount(bytes.count, record)
                return
            }
            let packets = record.packets(within: consumed)
            record.deliver(bytes: bytes, consuming: consumed)
            forward(bytes, packets, from: record)
            if record.adversary == .reinstalls && consumed == 0 {
                kernel.table[record.session.descriptor]?.isUsed()
                installReceiver(record)
            } else if record.isReluctant && consumed == 0 {
                giveWay(record)
            } else if record.isVersatile && chance.hits(300) {
                changeReceiver(record)
            }
        }
        return consumed
    }

    /// What a handler says that it consumed which it cannot have.
    private func miscount(_ count: Int, _ record: SessionRecord) -> Int {
        let consumed = chance.pick(count + 1, .max, -1, .min)
        record.misled = .consumedTooMuch(consumed: consumed, of: count)
        run.met(.misled)
        return consumed
    }

    /// What a framing says of a frame of so many bytes, of which there are `count`, that cannot be.
    private func misframe(
        _ length: Int, of count: Int, _ record: SessionRecord
    ) -> FramingStep<Range<Int>> {
        run.met(.misled)
        switch chance.below(4) {
        case 0:
            record.misled = .framingMadeNoProgress(bytes: count)
            return .frame(0..<0, length: 0)
        case 1:
            record.misled = .framingMadeNoProgress(bytes: count)
            return .needs(atLeast: chance.between(0, count))
        case 2:
            record.misled = .consumedTooMuch(consumed: length + 1, of: length)
            return .frame(9..<(length + 1), length: length)
        default:
            let taken = chance.pick(count + 1, -1)
            record.misled = .consumedTooMuch(consumed: taken, of: count)
            return .frame(0..<0, length: taken)
        }
    }

    /// Takes nothing, and does what lets a session keep more than it leaves otherwise.
    private func giveWay(_ record: SessionRecord) {
        // What has arrived meanwhile waits behind what the next handler is given.
        kernel.table[record.session.descriptor]?.isUsed()
        switch chance.below(10) {
        case 0...4: if !record.isClosed { installReceiver(record) }
        case 5...7:
            pause(record)
            reactor?.schedule(after: .milliseconds(chance.below(3))) { [unowned self] in
                resume(record)
            }
        case 8:
            pause(record)
            resume(record)
        default: break
        }
    }

    // MARK: Pausing

    func pause(_ record: SessionRecord) {
        record.stir()
        record.isPaused = true
        record.hasBeenPaused = true
        record.everPaused = true
        record.session.pauseReading()
    }

    func resume(_ record: SessionRecord) {
        record.stir()
        record.isPaused = false
        record.session.resumeReading()
    }
}
