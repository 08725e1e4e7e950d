// Why a run ends without a result, and the exit statuses.
import Glibc

/// Why it failed, as a plain sentence.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// With what errno says of the call that has just failed.
    init(system call: String) { self.init(unsafe "\(call): \(String(cString: strerror(errno)))") }

    /// With what the code, which the call returned negated, says.
    init(_ call: String, code: Int) {
        self.init(unsafe "\(call): \(String(cString: strerror(Int32(truncatingIfNeeded: -code))))")
    }
}

/// The exit statuses; misuse is EX_USAGE of sysexits.h, interrupted that of a shell.
enum ExitStatus {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let misuse: Int32 = 64
    static let interrupted: Int32 = 130
}
