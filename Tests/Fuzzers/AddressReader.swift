// The oracle of the addresses' fuzzer: what the text forms mean, by their definitions.
import Glibc

/// Reads the forms that `SocketAddress` documents, byte by byte, without the C library's parser.
enum AddressReader {
    enum Meaning: Equatable {
        case ipv4([UInt8], port: Int)
        case ipv6([UInt16], zone: UInt32, port: Int)
        case path([UInt8])
        /// A name with a port: no address, but it can be resolved to one.
        case name
        case nothing
    }

    static func read(_ text: [UInt8]) -> Meaning {
        if text.isEmpty || text.contains(0) { return .nothing }
        if text[0] == UInt8(ascii: "/") { return path(text[...]) }
        if text.starts(with: "unix:".utf8) { return path(text[5...]) }
        if text[0] == UInt8(ascii: "[") { return bracketed(text[1...]) }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, let port = number(parts[1], limit: 65_535) else { return .nothing }
        if let host = ipv4(parts[0]) { return .ipv4(host, port: port) }
        return isName(parts[0]) ? .name : .nothing
    }

    private static func path(_ bytes: ArraySlice<UInt8>) -> Meaning {
        let isAbstractWithoutName = bytes.elementsEqual("@".utf8)
        return bytes.isEmpty || isAbstractWithoutName || bytes.count > 107
            ? .nothing : .path(Array(bytes))
    }

    /// Decimal digits without a sign, and without a zero before others.
    static func number(_ digits: ArraySlice<UInt8>, limit: Int) -> Int? {
        guard let first = digits.first, digits.count <= 10 else { return nil }
        guard digits.allSatisfy({ (48...57).contains($0) }), first != 48 || digits.count == 1
        else { return nil }
        let value = digits.reduce(0) { $0 * 10 + Int($1) - 48 }
        return value <= limit ? value : nil
    }

    private static func ipv4(_ host: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let bytes = parts.compactMap { number($0, limit: 255).map { UInt8($0) } }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    /// Letters, digits, hyphens, underscores and dots, the last label not all digits.
    private static func isName(_ host: ArraySlice<UInt8>) -> Bool {
        let isSpelled = host.allSatisfy { byte in
            (48...57).contains(byte) || (97...122).contains(byte | 32)
                || "-_.".utf8.contains(byte)
        }
        let labels = host.split(separator: UInt8(ascii: "."))
        guard isSpelled, let last = labels.last else { return false }
        return last.contains { !(48...57).contains($0) }
    }
}

// MARK: - IPv6

extension AddressReader {
    /// What follows the opening bracket.
    private static func bracketed(_ text: ArraySlice<UInt8>) -> Meaning {
        guard let close = text.firstIndex(of: UInt8(ascii: "]")) else { return .nothing }
        let rest = text[(close + 1)...]
        guard rest.first == UInt8(ascii: ":"),
            let port = number(rest.dropFirst(), limit: 65_535)
        else { return .nothing }
        let parts = text[..<close].split(
            separator: UInt8(ascii: "%"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = ipv6(parts[0]) else { return .nothing }
        if parts.count == 1 { return .ipv6(host, zone: 0, port: port) }
        guard let zone = zone(parts[1]) else { return .nothing }
        return .ipv6(host, zone: zone, port: port)
    }

    private static func zone(_ text: ArraySlice<UInt8>) -> UInt32? {
        if let number = number(text, limit: Int(UInt32.max)) {
            return number == 0 ? nil : UInt32(number)
        }
        let index = if_nametoindex(String(decoding: text, as: UTF8.self))
        return index == 0 ? nil : index
    }

    /// RFC 4291, 2.2: eight groups, or fewer around one "::", the last two perhaps as an IPv4.
    private static func ipv6(_ text: ArraySlice<UInt8>) -> [UInt16]? {
        let colon = UInt8(ascii: ":")
        let gaps = text.indices.dropLast().filter { text[$0] == colon && text[$0 + 1] == colon }
        guard let gap = gaps.first else {
            return groups(text).flatMap { $0.count == 8 ? $0 : nil }
        }
        guard gaps.count == 1 else { return nil }
        let (head, tail) = (text[..<gap], text[(gap + 2)...])
        // An IPv4 ends the whole address, so never the part before the gap.
        guard let first = head.isEmpty ? [] : groups(head, mayEndInIPv4: false),
            let last = tail.isEmpty ? [] : groups(tail),
            first.count + last.count < 8
        else { return nil }
        return first + Array(repeating: 0, count: 8 - first.count - last.count) + last
    }

    private static func groups(
        _ text: ArraySlice<UInt8>, mayEndInIPv4: Bool = true
    ) -> [UInt16]? {
        var parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var end: [UInt16] = []
        if mayEndInIPv4, let last = parts.last, let bytes = ipv4(last) {
            end = [0, 2].map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
            parts.removeLast()
        }
        let values = parts.compactMap { part in
            (1...4).contains(part.count) ? hexadecimal(part) : nil
        }
        return values.count == parts.count ? values + end : nil
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt16? {
        var value: UInt16 = 0
        for digit in digits {
            guard let place = "0123456789abcdef".utf8.firstIndex(of: lowercased(digit)) else {
                return nil
            }
            let number = "0123456789abcdef".utf8.distance(
                from: "0123456789abcdef".utf8.startIndex, to: place)
            value = value << 4 | UInt16(number)
        }
        return value
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (65...90).contains(byte) ? byte + 32 : byte
    }
}
