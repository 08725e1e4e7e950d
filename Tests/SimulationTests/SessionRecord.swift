// What the oracle knows of one session: what it may deliver, what it has to send, how it may end.
import Glibc
import TronTestKit

@testable import Tron

/// A session of the library, seen from outside.
final class SessionRecord {
    enum Role {
        case accepted(ServerRecord)
        case client(ClientRecord)
        case dialed
    }

    unowned let world: World
    let run: Run
    let session: Session
    let end: End
    let options: SessionOptions
    let role: Role
    let id: SessionID

    /// Packets that the session took and has not handed to the kernel whole.
    private(set) var outgoing: [WirePacket] = []
    /// The packet that it is being given, until that is handed to the kernel whole.
    private var underWay: WirePacket?
    /// How many of the other end's packets have been delivered, or passed over.
    private(set) var delivered = 0
    /// Its handler takes bytes, and has consumed so many. A reluctant one seldom takes any, and
    /// would rather give way or have reading pause.
    var isRaw = false
    var isReluctant = false
    private var consumed = 0

    private(set) var reason: CloseReason?
    /// The earliest time at which it can have begun to close on request.
    var closeBegun: Int64?
    var closeCalled = false
    var abortCalled = false
    var endedWriting = false
    var overflowed = false
    /// A drain has told it: nothing may be delivered any more.
    var isDrained = false
    /// Its user was told that it is not writable, and has not been told that it is again.
    private(set) var isOwedWritability = false
    /// The last request that it carried, of those that were asked for on the loop.
    private var lastRequest: UInt64 = 0
    /// Replies whose address was asked for and that were neither given nor refused.
    var owed: Set<ReplyAddress> = []
    /// The kernel refused it something that it cannot go on without.
    var mustEnd = false

    init(_ session: Session, _ end: End, _ role: Role, _ options: SessionOptions, _ world: World) {
        self.world = world
        self.session = session
        self.end = end
        self.options = options
        self.role = role
        run = world.run
        id = session.id
        end.record = self
        end.lastReceived = run.turnStart
        end.lastSent = run.turnStart
    }

    var isClosed: Bool { reason != nil }

    /// The most bytes that it may keep for its handler: the largest packet and a turn's reading.
    var mostKept: Int {
        options.limits.maximumDataLength + PacketFormat.overhead
            + world.limits.maximumBytesReadPerTurn
    }

    /// Of what is owed, how much the session can still give.
    var answerable: Int { session.isOpen ? owed.count : 0 }

    var client: ClientRecord? { if case .client(let client) = role { client } else { nil } }

    var server: ServerRecord? { if case .accepted(let server) = role { server } else { nil } }

    /// A handler of it is called.
    func called(_ what: StaticString) {
        run.expect(reason == nil, "\(what) of session \(id) was called after its close")
    }

    /// The user asks whether the session is writable.
    func askWritable() {
        let isWritable = session.isWritable
        if isWritable {
            run.expect(
                session.queuedBytes <= options.limits.outputHighWatermark,
                "session \(id) is writable with \(session.queuedBytes) bytes queued")
        } else if session.isOpen {
            isOwedWritability = true
        }
    }

    /// The user is told: true once if it was told false before, and false only if it was not.
    func told(isWritable: Bool) {
        run.expect(
            isWritable == isOwedWritability,
            "session \(id) was told \(isWritable), though it knew")
        isOwedWritability = !isWritable
    }

    func closed(_ reason: CloseReason) {
        run.note(.closed, end.serial, 0, "session \(id): \(reason)")
        run.expect(self.reason == nil, "the close of session \(id) was reported twice")
        if let complaint = complaint(about: reason) {
            run.fail("session \(id) ended with “\(reason)”, but \(complaint)")
        }
        self.reason = reason
        world.obligations.meet(end.serial)
        if let client {
            run.expect(
                client.lostReasons.allSatisfy { $0 == reason },
                "requests were told \(client.lostReasons) of a session that ended with \(reason)")
            client.lostReasons = []
        }
    }
}

// MARK: - What it sends

extension SessionRecord {
    /// The session is given a packet, which it may hand to the kernel before it says that it took
    /// it.
    func isGiven(_ packet: WirePacket) { underWay = packet }

    /// The session said that it took a packet.
    func took(_ packet: WirePacket) {
        if underWay != nil { outgoing.append(packet) }
        underWay = nil
    }

    /// The session said that it did not take a packet.
    func refused(_ packet: WirePacket) {
        run.expect(underWay != nil, "session \(id) sent what it refused")
        underWay = nil
    }

    /// It handed bytes to the kernel: they have to be what it took, in order.
    func wrote(_ bytes: some Collection<UInt8>) {
        end.log.appendRaw(bytes)
        end.reader.append(bytes)
        while true {
            switch end.reader.next() {
            case .more: return
            case .malformed: return run.fail("session \(id) sends what is no packet")
            case .packet(let sequence, let category, let data): check(sequence, category, data)
            }
        }
    }

    private func check(_ sequence: Int32, _ category: UInt8, _ data: ArraySlice<UInt8>) {
        if category == WirePacket.heartbeat, options.heartbeat != nil, data.count == 1 {
            let number = UInt64(data.first ?? 0)
            return end.log.append(
                decoded: WirePacket(sequence: -1, category: category, number: number, length: 1))
        }
        if let client, category == WirePacket.request {
            return checkRequest(client, sequence, data)
        }
        if outgoing.isEmpty, let packet = underWay, packet.matches(sequence, category, data) {
            underWay = nil
            return end.log.append(decoded: packet)
        }
        guard let next = outgoing.first, next.matches(sequence, category, data) else {
            return run.fail(
                "session \(id) sends (\(sequence), \(category), \(data.count) bytes) in place of "
                    + "\(outgoing.first.map(\.description) ?? "nothing")")
        }
        outgoing.removeFirst()
        end.log.append(decoded: next)
    }

    private func checkRequest(
        _ client: ClientRecord, _ sequence: Int32, _ data: ArraySlice<UInt8>
    ) {
        guard let number = Payload.number(of: data), let request = world.requests[number],
            request.client === client, Payload.matches(data, number, request.length)
        else { return run.fail("session \(id) sends a request that nobody made") }
        run.expect(
            request.carriers.isEmpty || request.isRepeatable,
            "request \(number) is sent again, which it must not be")
        run.expect(
            !request.carriers.contains(end.serial), "request \(number) is sent twice at once")
        if let holder = client.numbers[sequence], holder != number {
            run.expect(
                world.requests[holder]?.isEnded != false,
                "sequence \(sequence) of request \(holder), which waits, goes to \(number)")
        }
        // A task asks when its turn comes, not when it was made.
        if !request.isAwaited {
            run.expect(
                number > lastRequest, "request \(number) comes after \(lastRequest), asked later")
            lastRequest = number
        }
        run.expect(sequence >= 0, "sequence \(sequence) was given to a request")
        client.numbers[sequence] = number
        request.sequence = sequence
        request.carriers.append(end.serial)
        end.log.append(
            decoded: WirePacket(
                sequence: sequence, category: WirePacket.request, number: number,
                length: data.count))
    }
}

// MARK: - What it delivers

extension SessionRecord {
    private var received: [(packet: WirePacket, end: Int)] { end.other?.log.packets ?? [] }

    /// Which packet its handler has to see next; nil when the other end has sent no further.
    private var nextToDeliver: Int? {
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

    func deliver(_ sequence: Int32, _ category: UInt8, _ data: UnsafeRawBufferPointer) {
        run.note(.packet, end.serial, data.count, "(\(sequence), \(category)) to the handler")
        called("the packet handler")
        run.expect(!session.isClosing, "a packet was delivered while session \(id) closes")
        run.expect(!isDrained, "a packet was delivered after session \(id) was drained")
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
        let position = log[index].end
        run.expect(
            position <= end.receivedTotal && position <= sound, "a packet came before its bytes")
        delivered = index + 1
    }

    /// How much of the other end's stream is to be trusted by the limits of this session.
    var sound: Int { end.other?.log.fault?.start ?? .max }

    func deliver(bytes: UnsafeRawBufferPointer, consuming count: Int) {
        run.note(.bytes, end.serial, bytes.count)
        called("the bytes handler")
        run.expect(!isDrained, "bytes were delivered after session \(id) was drained")
        let stream = end.other?.log.bytes[consumed...] ?? []
        run.expect(
            consumed + bytes.count <= end.receivedTotal
                && stream.prefix(bytes.count).elementsEqual(bytes),
            "session \(id) delivers bytes that are not the stream's from \(consumed) on")
        consumed += count
    }

    /// Whether a packet lies in the session, whole, that its handler has not seen.
    var holdsBackPacket: Bool {
        guard !isRaw, let index = nextToDeliver else { return false }
        let (packet, position) = received[index]
        return position <= end.receivedTotal && packet.length <= options.limits.maximumDataLength
    }

    /// Bytes received after the last whole packet, or what its handler of bytes left over.
    var incompleteBytes: Int {
        if isRaw { return end.receivedTotal - consumed }
        guard let log = end.other?.log else { return end.receivedTotal }
        let last = log.packets.last { $0.end <= end.receivedTotal }
        return end.receivedTotal - (last?.end ?? 0)
    }

    /// What the header after the last packet within the session's limit announces.
    var announced: Int? {
        guard let log = end.other?.log else { return nil }
        let sound = log.packets.prefix { $0.packet.length <= options.limits.maximumDataLength }
        let header = log.bytes.dropFirst(sound.last?.end ?? 0).prefix(9)
        guard header.count == 9, header.endIndex <= end.receivedTotal else { return nil }
        return header.suffix(4).reduce(0) { $0 << 8 | Int($1) }
    }
}
