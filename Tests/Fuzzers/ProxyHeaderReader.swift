// An oracle for PROXY headers: reads a whole stream by the specification, with no regard for cost.

/// What stands at the front of a stream.
enum ProxyHeaderReader {
    enum Meaning: Equatable {
        /// The stream ends within what may become a header.
        case unfinished
        case none
        case header(Header, length: Int)
    }

    /// Numbers in place of addresses: the host's bytes, then the port's.
    struct Header: Equatable {
        var version = 0
        var isLocal = false
        var source: [UInt8] = []
        var destination: [UInt8] = []
        var values: [UInt8: [UInt8]] = [:]
        /// Whether there was a certificate, and a verified one; then values by type.
        var tls: [UInt8]?
        var tlsValues: [UInt8: [UInt8]] = [:]
    }

    private static let signature = Array("\r\n\r\n\0\r\nQUIT\n".utf8)

    static func read(_ stream: [UInt8], maximumLength: Int) -> Meaning {
        let line = Array("PROXY ".utf8)
        if stream.starts(with: line) { return readLine(stream) }
        if stream.starts(with: signature) { return readBinary(stream, maximumLength) }
        let isBeginning = line.starts(with: stream) || signature.starts(with: stream)
        return isBeginning ? .unfinished : .none
    }

    // MARK: Version 1

    private static func readLine(_ stream: [UInt8]) -> Meaning {
        var line: [UInt8] = []
        for (index, byte) in stream.enumerated() {
            if byte == 13 {
                if index > 105 { return .none }
                guard index + 1 < stream.count else { return .unfinished }
                if stream[index + 1] != 10 { return .none }
                guard let header = header(ofLine: Array(line.dropFirst(6))) else { return .none }
                return .header(header, length: index + 2)
            }
            line.append(byte)
        }
        return stream.count > 105 ? .none : .unfinished
    }

    private static func header(ofLine words: [UInt8]) -> Header? {
        var header = Header(version: 1)
        let unknown = Array("UNKNOWN".utf8)
        if words.starts(with: unknown), words.count == 7 || words[7] == 32 { return header }
        var parts: [[UInt8]] = [[]]
        for byte in words {
            if byte == 32 { parts.append([]) } else { parts[parts.count - 1].append(byte) }
        }
        guard parts.count == 5 else { return nil }
        let isIPv6 = parts[0] == Array("TCP6".utf8)
        guard isIPv6 || parts[0] == Array("TCP4".utf8) else { return nil }
        guard let source = address(parts[1], parts[3], isIPv6),
            let destination = address(parts[2], parts[4], isIPv6)
        else { return nil }
        (header.source, header.destination) = (source, destination)
        return header
    }

    private static func address(_ host: [UInt8], _ port: [UInt8], _ isIPv6: Bool) -> [UInt8]? {
        if host.contains(37) { return nil }
        let text = isIPv6 ? [91] + host + Array("]:".utf8) + port : host + [58] + port
        switch AddressReader.read(text) {
        case .ipv4(let bytes, let port) where !isIPv6:
            return bytes + [UInt8(port >> 8), UInt8(port & 255)]
        case .ipv6(let groups, 0, let port) where isIPv6:
            return groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
                + [UInt8(port >> 8), UInt8(port & 255)]
        default: return nil
        }
    }

    // MARK: Version 2

    private static func readBinary(_ stream: [UInt8], _ maximumLength: Int) -> Meaning {
        guard stream.count > 12 else { return .unfinished }
        let isLocal = stream[12] == 0x20
        guard isLocal || stream[12] == 0x21 else { return .none }
        guard stream.count > 13 else { return .unfinished }
        let sizes: [UInt8: Int] = [
            0x00: 0, 0x11: 12, 0x12: 12, 0x21: 36, 0x22: 36, 0x31: 216, 0x32: 216,
        ]
        guard let size = isLocal ? 0 : sizes[stream[13]] else { return .none }
        guard stream.count > 15 else { return .unfinished }
        let length = 16 + Int(stream[14]) * 256 + Int(stream[15])
        if length > maximumLength || length < 16 + size { return .none }
        if stream.count < length { return .unfinished }
        var header = Header(version: 2, isLocal: isLocal)
        if isLocal { return .header(header, length: length) }
        setAddresses(Array(stream[16..<16 + size]), stream[13], &header)
        let isSound = readValues(Array(stream[..<length]), from: 16 + size, &header)
        return isSound ? .header(header, length: length) : .none
    }

    private static func setAddresses(_ bytes: [UInt8], _ family: UInt8, _ header: inout Header) {
        switch family {
        case 0x11:
            header.source = Array(bytes[0..<4] + bytes[8..<10])
            header.destination = Array(bytes[4..<8] + bytes[10..<12])
        case 0x21:
            header.source = Array(bytes[0..<16] + bytes[32..<34])
            header.destination = Array(bytes[16..<32] + bytes[34..<36])
        case 0x31:
            header.source = path(Array(bytes[..<108]))
            header.destination = path(Array(bytes[108...]))
        default: break
        }
    }

    /// As it is printed; nothing of one that no text can stand for.
    private static func path(_ field: [UInt8]) -> [UInt8] {
        var bytes = field
        while bytes.last == 0 { bytes.removeLast() }
        let isAbstract = bytes.first == 0
        if isAbstract {
            bytes[0] = 64
            if bytes.count == 1 || bytes.contains(0) { return [] }
        } else {
            if let end = bytes.firstIndex(of: 0) { bytes.removeSubrange(end...) }
            if bytes.first == 64 { bytes = [46, 47] + bytes }
        }
        guard String(validating: bytes, as: UTF8.self) != nil, bytes.count <= 107 else { return [] }
        return bytes
    }

    /// The values from `start` on, each with where it ends; nil when one is cut.
    private static func split(
        _ bytes: [UInt8], from start: Int
    ) -> [(type: UInt8, value: [UInt8], end: Int)]? {
        var list: [(UInt8, [UInt8], Int)] = []
        var start = start
        while start < bytes.count {
            guard start + 3 <= bytes.count else { return nil }
            let end = start + 3 + Int(bytes[start + 1]) * 256 + Int(bytes[start + 2])
            guard end <= bytes.count else { return nil }
            list.append((bytes[start], Array(bytes[start + 3..<end]), end))
            start = end
        }
        return list
    }

    private static func readValues(
        _ bytes: [UInt8], from start: Int, _ header: inout Header
    ) -> Bool {
        guard let list = split(bytes, from: start) else { return false }
        for (type, value, end) in list {
            switch type {
            case 1, 2, 5:
                if type == 2 && value.count > 255 || type == 5 && value.count > 128 { return false }
                if header.values[type] == nil { header.values[type] = value }
            case 3:
                guard value.count == 4 else { return false }
                var zeroed = bytes
                zeroed.replaceSubrange(end - 4..<end, with: [0, 0, 0, 0])
                if checksum(zeroed) != value { return false }
            case 0x20:
                guard value.count >= 5, let inner = split(value, from: 5) else { return false }
                if value[0] & 1 == 0 || header.tls != nil { continue }
                let hasCertificate: UInt8 = value[0] & 6 == 0 ? 0 : 1
                header.tls = [hasCertificate, value[1..<5] == [0, 0, 0, 0] ? hasCertificate : 0]
                for (type, value, _) in inner
                where (0x21...0x28).contains(type) && header.tlsValues[type] == nil {
                    header.tlsValues[type] = value
                }
            default: break
            }
        }
        return true
    }

    /// By long division of the reflected bits.
    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        var remainder = UInt32.max
        for byte in bytes {
            for bit in 0..<8 {
                let isOdd = (remainder ^ UInt32(byte >> UInt8(bit))) & 1 == 1
                remainder = remainder >> 1 ^ (isOdd ? 0x82f6_3b78 : 0)
            }
        }
        let sum = ~remainder
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }
}
