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
        record.isVersatile = chance.hits(500)
        record.receiver = chance.pick(
            .bytes, .bytes, .frames, .lines, .delimited, .packets)
        record.isReluctant = record.receiver == .bytes && chance.hits(300)
    }

    /// Installs the handler again, or one of another kind: they count as one.
    func changeReceiver(_ record: SessionRecord) {
        guard !record.session.isClosing && record.receiver != .task else { return }
        if record.isVersatile {
            let former = record.receiver
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
            session.onFrames(of: WireFraming(maximumFrameLength: record.longestFrame)) {
                [unowned self, unowned record] _, frame in receive(frame.bytes, record)
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
            record.deliver(bytes: bytes, consuming: consumed)
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
