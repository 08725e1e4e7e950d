// PROXY headers as callers send them, written a second time; and what is to become of each.
import TronTestKit

@testable import Tron

/// What a proxy sends first.
struct ProxyHeader {
    enum Meaning {
        /// The connection is of this client, or, if it is nil, of whoever sends the header.
        case client(SocketAddress?)
        /// It is none that is accepted, which shows in so many bytes.
        case fault(ProxyHeaderFault, after: Int)
        /// Its end never comes.
        case cut
    }

    private(set) var bytes: [UInt8]
    private(set) var meaning: Meaning
    private(set) var version = 2
    private(set) var isLocal = false
    private(set) var destination: SocketAddress?
    private(set) var uniqueID: [UInt8]?

    /// Whether a session follows.
    var isSound: Bool { if case .client = meaning { true } else { false } }

    private init(_ bytes: [UInt8], _ meaning: Meaning) {
        self.bytes = bytes
        self.meaning = meaning
    }

    static func drawn(from chance: Chance) -> ProxyHeader {
        switch chance.below(10) {
        case 0...2: return line(chance)
        case 3...6: return binary(chance)
        case 7:
            var header = chance.hits(500) ? line(chance) : binary(chance)
            header.bytes.removeLast(chance.between(1, header.bytes.count - 1))
            header.meaning = .cut
            return header
        default: return faulty(chance)
        }
    }

    // MARK: Version 1

    private static func line(_ chance: Chance) -> ProxyHeader {
        let (host, port) = (chance.between(1, 3), UInt16(chance.between(0, 65_535)))
        var header: ProxyHeader
        switch chance.below(3) {
        case 0:
            header = ProxyHeader(
                Array("PROXY TCP4 10.7.0.\(host) 10.0.0.1 \(port) 9000\r\n".utf8),
                .client(.ipv4(host: 0x0a07_0000 + UInt32(host), port: port)))
            header.destination = .ipv4(host: 0x0a00_0001, port: 9000)
        case 1:
            header = ProxyHeader(
                Array("PROXY TCP6 fd07::\(host) fd00::1 \(port) 9000\r\n".utf8),
                .client(.ipv6(high: 0xfd07 << 48, low: UInt64(host), scope: 0, port: port)))
            header.destination = .ipv6(high: 0xfd00 << 48, low: 1, scope: 0, port: 9000)
        default:
            let words = chance.pick("", " ", " 10.7.0.1 10.0.0.1 1 2", " anything at all")
            header = ProxyHeader(Array("PROXY UNKNOWN\(words)\r\n".utf8), .client(nil))
        }
        header.version = 1
        return header
    }

    // MARK: Version 2

    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

    private static func binary(_ chance: Chance) -> ProxyHeader {
        let (host, port) = (chance.between(1, 3), UInt16(chance.between(0, 65_535)))
        let ports = [port, 9000].flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        var header: ProxyHeader
        switch chance.below(4) {
        case 0, 1:
            header = ProxyHeader(
                [0x21, 0x11, 0, 0, 10, 7, 0, UInt8(host), 10, 0, 0, 1] + ports,
                .client(.ipv4(host: 0x0a07_0000 + UInt32(host), port: port)))
            header.destination = .ipv4(host: 0x0a00_0001, port: 9000)
        case 2:
            let zeros = [UInt8](repeating: 0, count: 13)
            header = ProxyHeader(
                [0x21, 0x21, 0, 0, 0xfd, 7] + zeros + [UInt8(host), 0xfd, 0] + zeros + [1] + ports,
                .client(.ipv6(high: 0xfd07 << 48, low: UInt64(host), scope: 0, port: port)))
            header.destination = .ipv6(high: 0xfd00 << 48, low: 1, scope: 0, port: 9000)
        default:
            // What a proxy says of a connection of its own means nothing.
            header = ProxyHeader([0x20, chance.pick(0, 0x11), 0, 0], .client(nil))
            header.isLocal = true
            header.bytes += [UInt8](repeating: 10, count: chance.pick(0, 12, 40))
        }
        header.bytes = signature + header.bytes
        if !header.isLocal { header.addValues(chance) }
        header.setLength(header.bytes.count - 16)
        return header
    }

    /// Values behind the addresses: what the connection is called, what nobody knows, and the sum.
    private mutating func addValues(_ chance: Chance) {
        if chance.hits(500) {
            let id = Payload.bytes(chance.next(), chance.between(0, 128))
            uniqueID = id
            addValue(0x05, id)
        }
        if chance.hits(300) { addValue(0x04, [UInt8](repeating: 0, count: chance.below(200))) }
        if chance.hits(300) { addSum(isRight: true) }
    }

    private mutating func addValue(_ type: UInt8, _ value: [UInt8]) {
        bytes += [type, UInt8(value.count >> 8), UInt8(value.count & 255)] + value
    }

    /// CRC32C of all of the header, in which its own place is zero.
    private mutating func addSum(isRight: Bool) {
        addValue(0x03, [0, 0, 0, 0])
        setLength(bytes.count - 16)
        let sum = Self.sum(of: bytes) ^ (isRight ? 0 : 1)
        bytes.replaceSubrange((bytes.count - 4)..., with: WirePacket.bigEndian(sum))
    }

    private mutating func setLength(_ length: Int) {
        bytes[14] = UInt8(length >> 8)
        bytes[15] = UInt8(length & 255)
    }

    /// Bit by bit (RFC 3720, B.4).
    private static func sum(of bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
        }
        return ~sum
    }

    // MARK: What is none

    private static func faulty(_ chance: Chance) -> ProxyHeader {
        switch chance.below(7) {
        case 0:
            let packet = WirePacket(sequence: -1, category: 77, number: 1, length: 20)
            return ProxyHeader(packet.wireBytes, .fault(.notAHeader, after: 1))
        case 1:
            let text = "PROXY UNKNOWN " + String(repeating: "x", count: 200)
            return ProxyHeader(Array(text.utf8), .fault(.lineTooLong, after: 106))
        case 2:
            let line = Array("PROXY TCP4 10.7.0.1 10.0.0.1 08 9000\r\n".utf8)
            return ProxyHeader(line, .fault(.malformedLine, after: line.count))
        case 3:
            return ProxyHeader(
                signature + [0x22, 0x11, 0, 12], .fault(.unknownCommand(0x22), after: 13))
        case 4:
            return ProxyHeader(
                signature + [0x21, 0x11, 0x20, 0], .fault(.tooLong(8208), after: 16))
        case 5:
            return ProxyHeader(signature + [0x21, 0x11, 0, 11], .fault(.addressesCut, after: 16))
        default:
            var header = ProxyHeader(
                signature + [0x21, 0x11, 0, 0, 10, 7, 0, 1, 10, 0, 0, 1, 0, 1, 0, 2], .cut)
            header.addSum(isRight: false)
            header.meaning = .fault(.checksumMismatch, after: header.bytes.count)
            return header
        }
    }
}
