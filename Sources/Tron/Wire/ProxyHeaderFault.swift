// Why bytes are no PROXY header that is accepted.

/// Why what a proxy sent first is no PROXY header. Its connection is closed.
public enum ProxyHeaderFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes begin neither as version 1 nor as version 2 does.
    case notAHeader
    /// Version 1: no line end within 107 bytes.
    case lineTooLong
    /// Version 1: the line is not made of the words that it has to have.
    case malformedLine
    /// Version 2: the 13th byte is neither 0x20 (LOCAL) nor 0x21 (PROXY).
    case unknownCommand(UInt8)
    /// Version 2: the 14th byte is no known family and transport.
    case unknownFamily(UInt8)
    /// Version 2: the header would have so many bytes, more than
    /// `ServerLimits.maximumProxyHeaderLength`.
    case tooLong(Int)
    /// Version 2: the length leaves no room for the addresses of the family.
    case addressesCut
    /// Version 2: a value goes beyond the header, or is too short for its kind.
    case valueCut(type: UInt8)
    /// Version 2: a value is longer than its kind may be.
    case valueTooLong(type: UInt8)
    /// Version 2: the checksum is not that of the header.
    case checksumMismatch

    /// The fault in words.
    public var description: String {
        switch self {
        case .notAHeader: "no PROXY header"
        case .lineTooLong: "a PROXY line of more than 107 bytes"
        case .malformedLine: "a malformed PROXY line"
        case .unknownCommand(let byte): "unknown version and command 0x\(Self.hex(byte))"
        case .unknownFamily(let byte): "unknown address family and transport 0x\(Self.hex(byte))"
        case .tooLong(let count): "a PROXY header of \(count) bytes"
        case .addressesCut: "a PROXY header too short for its addresses"
        case .valueCut(let type): "value 0x\(Self.hex(type)) of a PROXY header is cut short"
        case .valueTooLong(let type): "value 0x\(Self.hex(type)) of a PROXY header is too long"
        case .checksumMismatch: "a PROXY header that does not match its checksum"
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return byte < 16 ? "0" + digits : digits
    }
}
