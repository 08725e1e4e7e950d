// Puts PROXY headers together for the tests, byte by byte and independently of their decoder.

@testable import Tron

/// A header of version 2 in its parts.
struct ProxyHeaderText {
    static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    var command: UInt8 = 0x21
    var family: UInt8 = 0x11
    var addresses: [UInt8] = []
    var values: [UInt8] = []
    /// In place of the number of bytes that follow.
    var length: Int?

    /// 192.0.2.1:56324 to 198.51.100.2:443.
    static var ipv4: ProxyHeaderText {
        ProxyHeaderText(addresses: hex("C0000201 C6336402 DC04 01BB"))
    }

    /// [2001:db8::1]:56324 to [2001:db8::2]:443.
    static var ipv6: ProxyHeaderText {
        ProxyHeaderText(
            family: 0x21,
            addresses: hex("20010DB8 00000000 00000000 00000001")
                + hex("20010DB8 00000000 00000000 00000002 DC04 01BB"))
    }

    static func unix(_ source: String, _ destination: String) -> ProxyHeaderText {
        let fields = [source, destination].map { path in
            Array(path.utf8) + [UInt8](repeating: 0, count: 108 - path.utf8.count)
        }
        return ProxyHeaderText(family: 0x31, addresses: fields[0] + fields[1])
    }

    var bytes: [UInt8] {
        let count = length ?? addresses.count + values.count
        return Self.signature + [command, family, UInt8(count >> 8), UInt8(count & 0xff)]
            + addresses + values
    }

    func with(_ type: UInt8, _ value: [UInt8]) -> ProxyHeaderText {
        var header = self
        header.values += Self.value(type, value)
        return header
    }

    /// Ends it with its checksum.
    var withChecksum: ProxyHeaderText {
        let sum = Self.checksum(with(0x03, [0, 0, 0, 0]).bytes)
        return with(0x03, (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) })
    }

    static func value(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        [type, UInt8(value.count >> 8), UInt8(value.count & 0xff)] + value
    }

    /// Bit by bit, as its polynomial says.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 {
                remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0x82f6_3b78 : remainder >> 1
            }
        }
        return ~remainder
    }
}

/// Bytes of pairs of hexadecimal digits.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}
