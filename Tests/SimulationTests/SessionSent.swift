// What a session hands to the kernel: packets that it took, each whole and in order.
import Glibc
import TronTestKit

@testable import Tron

extension SessionRecord {
    /// The session is given a packet, which it may hand to the kernel before it says that it took
    /// it.
    func isGiven(_ packet: WirePacket) { underWay = packet }

    /// The session said that it took a packet.
    func took(_ packet: WirePacket) {
        if underWay != nil { outgoing.append(packet) }
        underWay = nil
        tookCount += 1
    }

    /// The session said that it did not take a packet.
    func refused(_ packet: WirePacket) {
        run.expect(underWay != nil, "session \(id) sent what it refused")
        underWay = nil
    }

    func offered(_ pieces: [Int]) {
        offers += 1
        lastOffer = pieces
    }

    /// A large packet leaves from where its data lies: it is the third piece, or the last of them.
    private func noteSentThrough(_ count: Int) {
        guard lastOffer.count == 3, lastOffer[2] > 0, count > lastOffer[0] else { return }
        let whole = lastOffer.reduce(0, +)
        run.met(count == whole ? Success.sentThroughWhole : .sentThroughInPart)
    }

    /// It handed bytes to the kernel: they have to be what it took, in order.
    func wrote(_ bytes: ArraySlice<UInt8>) {
        noteSent(bytes.count)
        noteSentThrough(bytes.count)
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
            if number == 0 { asked() }
            run.expect(
                number == 0 || options.heartbeat?.answers == true,
                "session \(id) answers a question, and was not to")
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
        if outgoing.isEmpty, let packet = awaited, packet.matches(sequence, category, data) {
            awaited = nil
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
        if !request.hadSession { run.met(.waitedAndSent) }
        end.log.append(
            decoded: WirePacket(
                sequence: sequence, category: WirePacket.request, number: number,
                length: data.count))
    }
}
