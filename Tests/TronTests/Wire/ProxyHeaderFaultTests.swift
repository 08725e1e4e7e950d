// What is no PROXY header: each fault, as soon as it shows and not before.
import Testing

@testable import Tron

@Suite struct ProxyHeaderFaultTests {
    /// The fault, and after how many bytes it shows.
    private func fault(in bytes: [UInt8]) -> (fault: ProxyHeaderFault, count: Int)? {
        for count in 0...bytes.count {
            let part = Array(bytes[..<count])
            switch ProxyHeaderDecoder.decode(part.span.bytes, maximumLength: 4096) {
            case .incomplete: continue
            case .complete: return nil
            case .fault(let fault): return (fault, count)
            }
        }
        return nil
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n", 1), ("proxy TCP4", 1), ("PROXY\r\n", 6), ("PROXY\tTCP4", 6),
        ("\r\nPROXY", 3), ("\r\n\r\n\r\n", 5), ("\r\n\r\n\0\r\nQUIT\r", 12), ("\0", 1),
    ])
    func `other protocols are told at their first byte that differs`(text: String, count: Int) {
        let found = fault(in: Array(text.utf8))
        #expect(found?.fault == .notAHeader && found?.count == count)
    }

    @Test(arguments: [
        "TCP4 192.0.2.1 198.51.100.2 56324", "TCP4 192.0.2.1 198.51.100.2 56324 443 1",
        "TCP4 192.0.2.1 198.51.100.2 56324 443 ", "TCP4  192.0.2.1 198.51.100.2 56324 443",
        "TCP4 192.0.2.1  198.51.100.2 56324 443", " TCP4 192.0.2.1 198.51.100.2 56324 443",
        "TCP4 192.0.2.01 198.51.100.2 56324 443", "TCP4 192.0.2.1 198.51.100.2 056324 443",
        "TCP4 192.0.2.1 198.51.100.2 65536 443", "TCP4 192.0.2.1 198.51.100.2 -1 443",
        "TCP4 192.0.2.1 198.51.100.2 1 +443", "TCP4 192.0.2.256 198.51.100.2 1 443",
        "TCP4 ::1 ::1 1 2", "TCP6 192.0.2.1 192.0.2.1 1 2", "TCP4 [::1] [::1] 1 2",
        "TCP4 unix:/x unix:/x 1 2", "TCP4 /x /x 1 2", "TCP6 fe80::1%1 ::1 1 2",
        "TCP6 ::1]:5 ::1 1 2", "TCP6 [::1] [::1] 1 2", "TCP4 a b 1 2", "TCP4", "", " ",
        "UNKNOWNX", "unknown", "TCP5 1.1.1.1 1.1.1.1 1 2", "UDP4 1.1.1.1 1.1.1.1 1 2",
        "TCP4 1.1.1.1 1.1.1.1 1 2\n", "TCP4 1.1.1.1\0 1.1.1.1 1 2", "TCP4\t1.1.1.1 1.1.1.1 1 2",
        "TCP4 1.1.1.1 1.1.1.1 1 \u{666}",
    ])
    func `a line of other words is malformed once it has ended`(words: String) {
        let bytes = Array("PROXY \(words)\r\n".utf8)
        let found = fault(in: bytes)
        #expect(found?.fault == .malformedLine && found?.count == bytes.count)
    }

    @Test func `a carriage return within a line ends it`() {
        let bytes = Array("PROXY UNKNOWN a\rb\r\n".utf8)
        let found = fault(in: bytes)
        #expect(found?.fault == .malformedLine && found?.count == 17)
    }

    @Test(arguments: [" ", "\n", "TCP4 "])
    func `a line without an end is told after as many bytes as a line may have`(start: String) {
        let bytes = Array("PROXY \(start)".utf8) + [UInt8](repeating: 0x20, count: 5000)
        let found = fault(in: bytes)
        #expect(found?.fault == .lineTooLong && found?.count == 106)
    }

    @Test func `a line of one byte too many is refused, though it ends`() {
        let longest = "PROXY UNKNOWN " + String(repeating: "x", count: 91) + "\r\n"
        #expect(longest.utf8.count == 107 && fault(in: Array(longest.utf8)) == nil)
        let longer = "PROXY UNKNOWN " + String(repeating: "x", count: 92) + "\r\n"
        #expect(fault(in: Array(longer.utf8))?.fault == .lineTooLong)
    }

    @Test(arguments: 0...UInt8.max)
    func `other versions and commands are refused`(byte: UInt8) {
        var header = ProxyHeaderText.ipv4
        header.command = byte
        let found = fault(in: header.bytes)
        if byte == 0x20 || byte == 0x21 { return #expect(found == nil) }
        #expect(found?.fault == .unknownCommand(byte) && found?.count == 13)
    }

    @Test(arguments: 0...UInt8.max)
    func `other families and transports are refused`(byte: UInt8) {
        let header = ProxyHeaderText(
            family: byte, addresses: [UInt8](repeating: 0, count: 216))
        let found = fault(in: header.bytes)
        let known: [UInt8] = [0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32]
        if known.contains(byte) { return #expect(found == nil) }
        #expect(found?.fault == .unknownFamily(byte) && found?.count == 14)
    }

    /// `2112 0000` is the end of a header that brought down a proxy (CVE-2019-14243).
    @Test(arguments: [
        (UInt8(0x11), 0), (0x11, 11), (0x12, 0), (0x12, 11), (0x21, 35), (0x22, 12), (0x31, 215),
        (0x32, 0),
    ])
    func `a length without room for the addresses is refused`(family: UInt8, length: Int) {
        let header = ProxyHeaderText(family: family, length: length)
        let found = fault(in: header.bytes)
        #expect(found?.fault == .addressesCut && found?.count == 16)
    }

    @Test(arguments: [(UInt8(0x21), 4081), (0x20, 4081), (0x21, 65_535)])
    func `a header above the bound is refused before it has come`(command: UInt8, length: Int) {
        let found = fault(in: ProxyHeaderText(command: command, length: length).bytes)
        #expect(found?.fault == .tooLong(length + 16) && found?.count == 16)
    }

    @Test(arguments: [
        ([UInt8(0x01)], ProxyHeaderFault.valueCut(type: 0x01)), ([0x02, 0], .valueCut(type: 0x02)),
        ([0xee, 0, 1], .valueCut(type: 0xee)), ([0x04, 0xff, 0xff, 0], .valueCut(type: 0x04)),
        ([0x03, 0, 3, 1, 2, 3], .valueCut(type: 0x03)),
        ([0x03, 0, 5, 1, 2, 3, 4, 5], .valueTooLong(type: 0x03)),
        ([0x03, 0, 4, 0x20, 0xec, 0x95, 0x48], .checksumMismatch),
        (ProxyHeaderText.value(0x02, Array(repeating: 1, count: 256)), .valueTooLong(type: 0x02)),
        (ProxyHeaderText.value(0x05, Array(repeating: 1, count: 129)), .valueTooLong(type: 0x05)),
        (ProxyHeaderText.value(0x20, [1, 0, 0, 0]), .valueCut(type: 0x20)),
        (ProxyHeaderText.value(0x20, [1, 0, 0, 0, 0, 0x21]), .valueCut(type: 0x21)),
        (ProxyHeaderText.value(0x20, [0, 0, 0, 0, 0, 0x22, 0, 1]), .valueCut(type: 0x22)),
    ])
    func `a value that does not fit is refused`(values: [UInt8], expected: ProxyHeaderFault) {
        var header = ProxyHeaderText.ipv4
        header.values = values
        let found = fault(in: header.bytes)
        #expect(found?.fault == expected && found?.count == header.bytes.count)
    }

    @Test func `a second checksum makes the first one wrong`() {
        let header = ProxyHeaderText.ipv4.withChecksum.withChecksum
        #expect(fault(in: header.bytes)?.fault == .checksumMismatch)
    }

    @Test func `no bit of a header with a checksum can be turned unnoticed`() {
        let bytes = ProxyHeaderText.ipv4.with(0x02, Array("host".utf8)).withChecksum.bytes
        var accepted: [Int] = []
        for bit in 0..<bytes.count * 8 {
            var turned = bytes
            turned[bit / 8] ^= 1 << UInt8(bit % 8)
            let step = ProxyHeaderDecoder.decode(turned.span.bytes, maximumLength: 4096)
            if case .complete(let connection, _) = step, !connection.isLocal {
                accepted.append(bit)
            }
        }
        // Those of the checksum's own type leave a header without one.
        let start = (bytes.count - 7) * 8
        #expect(accepted.allSatisfy { (start..<start + 8).contains($0) }, "\(accepted)")
    }

    @Test func `each fault says in one line what is wrong`() {
        let faults: [ProxyHeaderFault] = [
            .notAHeader, .lineTooLong, .malformedLine, .unknownCommand(2), .unknownFamily(0xff),
            .tooLong(9), .addressesCut, .valueCut(type: 3), .valueTooLong(type: 2),
            .checksumMismatch,
        ]
        #expect(Set(faults.map(\.description)).count == faults.count)
        #expect("\(ProxyHeaderFault.unknownCommand(2))" == "unknown version and command 0x02")
        #expect(
            "\(ProxyHeaderFault.valueCut(type: 3))" == "value 0x03 of a PROXY header is cut short")
    }
}
