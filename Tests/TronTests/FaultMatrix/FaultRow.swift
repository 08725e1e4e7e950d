// What a row of the fault matrix says, and the numbers of its errors.
import Glibc

@testable import Tron

/// One call of `Kernel` and what may befall it.
struct FaultRow: Sendable {
    /// Errors that are answered alike.
    struct Errors: Sendable {
        let names: [String]
        /// What a user may see of them: nothing else.
        let effects: Set<FaultEffect>
        /// Why that is right.
        let meaning: String
        /// What it is when the course of events is another without any report.
        let otherwise: FaultEffect

        init(
            _ names: String, _ effects: Set<FaultEffect>, otherwise: FaultEffect = .differs,
            _ meaning: String
        ) {
            self.names = names.split(separator: " ").map(String.init)
            self.effects = effects
            self.meaning = meaning
            self.otherwise = otherwise
        }

        /// The names with their numbers on this machine.
        var codes: [(name: String, code: Int32)] { names.map { ($0, errnoNumbers[$0]!) } }

        static let interrupted = Errors("EINTR", [.unseen], "Repeated at once.")
        static let notNow = Errors("EAGAIN", [.unseen], "Readiness will tell when to go on.")
    }

    let call: KernelCall
    /// The methods of `Kernel` that make this call, each as often as it has overloads.
    let methods: [String]
    /// The call's name in what users are told; nil where they never are.
    let told: SystemError.Call?
    let pages: String
    /// Whether its manual page lists EBADF, with which the program stops.
    var trapsOnBadDescriptor = true
    let errors: [Errors]
}

/// The numbers of the table's errors on this machine.
private let errnoNumbers: [String: Int32] = [
    "EACCES": EACCES, "EADDRINUSE": EADDRINUSE, "EADDRNOTAVAIL": EADDRNOTAVAIL,
    "EAFNOSUPPORT": EAFNOSUPPORT, "EAGAIN": EAGAIN, "EALREADY": EALREADY, "EBUSY": EBUSY,
    "ECONNABORTED": ECONNABORTED, "ECONNREFUSED": ECONNREFUSED, "ECONNRESET": ECONNRESET,
    "EDESTADDRREQ": EDESTADDRREQ, "EDQUOT": EDQUOT, "EEXIST": EEXIST, "EFAULT": EFAULT,
    "EFBIG": EFBIG, "EHOSTDOWN": EHOSTDOWN, "EHOSTUNREACH": EHOSTUNREACH,
    "EINPROGRESS": EINPROGRESS, "EINTR": EINTR, "EINVAL": EINVAL, "EIO": EIO, "EISCONN": EISCONN,
    "EISDIR": EISDIR, "ELOOP": ELOOP, "EMFILE": EMFILE, "EMSGSIZE": EMSGSIZE,
    "ENAMETOOLONG": ENAMETOOLONG, "ENETDOWN": ENETDOWN, "ENETUNREACH": ENETUNREACH,
    "ENFILE": ENFILE, "ENOBUFS": ENOBUFS, "ENODEV": ENODEV, "ENOENT": ENOENT, "ENOMEM": ENOMEM,
    "ENONET": ENONET, "ENOPROTOOPT": ENOPROTOOPT, "ENOSPC": ENOSPC, "ENOSR": ENOSR,
    "ENOTCONN": ENOTCONN, "ENOTDIR": ENOTDIR, "ENOTSOCK": ENOTSOCK, "EOPNOTSUPP": EOPNOTSUPP,
    "EOVERFLOW": EOVERFLOW, "EPERM": EPERM, "EPIPE": EPIPE, "EPROTO": EPROTO,
    "EPROTONOSUPPORT": EPROTONOSUPPORT, "EPROTOTYPE": EPROTOTYPE, "EROFS": EROFS,
    "ESOCKTNOSUPPORT": ESOCKTNOSUPPORT, "ETIMEDOUT": ETIMEDOUT, "EUSERS": EUSERS,
]
