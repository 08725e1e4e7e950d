// Why a text is not an address, with the text itself.

/// A text that is not a socket address, and why.
public struct AddressError: Error, Hashable, CustomStringConvertible {
    /// What is wrong with the text.
    public enum Reason: Error, Hashable, Sendable {
        /// There is no text.
        case empty
        /// There is a NUL byte, where the kernel would end the text.
        case nulByte
        /// The host is not followed by a colon and a port.
        case missingPort
        /// The port is not a number from 0 to 65535 in plain decimal digits.
        case invalidPort
        /// The host is not an IPv4 address, nor an IPv6 address in brackets.
        case invalidHost
        /// The host is an IPv6 address, or something like it, without its brackets.
        case missingBrackets
        /// The host is a name, which has to be resolved to an address first.
        case hostName
        /// The zone after `%` is neither a number nor an interface of this machine.
        case unknownZone
        /// There is no path after `unix:`, or no name after `@`.
        case emptyPath
        /// The path has more bytes than a Unix address can hold.
        case pathTooLong
    }

    /// The text that was refused.
    public let text: String

    /// What is wrong with it.
    public let reason: Reason

    /// One line for a log or a terminal.
    public var description: String {
        "\(text.debugDescription) is not a socket address: \(reason.explanation)"
    }
}

extension AddressError.Reason {
    var explanation: String {
        switch self {
        case .empty: "it is empty"
        case .nulByte: "it contains a NUL byte"
        case .missingPort: "the port is missing, as in 127.0.0.1:9000"
        case .invalidPort: "the port is not a decimal number from 0 to 65535"
        case .invalidHost: "the host is neither an IPv4 address nor an IPv6 address in brackets"
        case .missingBrackets: "an IPv6 host is written in brackets, as in [::1]:9000"
        case .hostName: "the host is a name, which has to be resolved to an address first"
        case .unknownZone: "the zone is neither a number nor a network interface"
        case .emptyPath: "the path is missing, as in unix:/run/name.sock or unix:@name"
        case .pathTooLong: "the path is longer than \(UnixPath.limit) bytes"
        }
    }
}
