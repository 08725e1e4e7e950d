// What a supervisor has told or handed over, and what of it cannot be used.

/// What the environment says of the process's supervisor, and is not as it should be.
public enum SupervisorError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A variable of the environment is not what sd_listen_fds(3), sd_notify(3) or
    /// sd_watchdog_enabled(3) say.
    case malformed(variable: String, text: String)
    /// The descriptor is not a listening stream socket of a family that this library knows.
    case notAListener(descriptor: Int32, SystemError)
    /// No listener of this name is left. A fresh one in its place would hide that.
    case noListener(named: String)

    /// One line for a log or a terminal.
    public var description: String {
        switch self {
        case .malformed(let variable, let text):
            "\(variable) is \(text.debugDescription), which the supervisor cannot have meant"
        case .notAListener(let descriptor, let error):
            "descriptor \(descriptor) is no listening stream socket: \(error)"
        case .noListener(let name): "no listener named \(name.debugDescription) was handed over"
        }
    }

    /// A number in plain decimal digits.
    static func number(
        _ text: String, of variable: String, atMost most: Int64
    ) throws(SupervisorError) -> Int64 {
        let isPlain = text.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains)
        guard isPlain, let number = Int64(text), number <= most else {
            throw .malformed(variable: variable, text: text)
        }
        return number
    }
}
