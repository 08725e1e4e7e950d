// The process that started this one and wants to know how it is: sd_notify(3), without its library.

/// The supervisor of this process: systemd, or whoever else speaks sd_notify(3).
///
///     if let supervisor = try Supervisor.ofThisProcess() { reactor.report(to: supervisor) }
///
/// May be used on any thread; no call blocks.
public struct Supervisor: Sendable {
    private let address: SocketAddress
    private let kernel: Kernel

    /// The time within which it has to hear `alive()` again and again, or it ends the process: nil
    /// where it does not care.
    public let watchdog: Duration?

    /// The one that the environment names (`NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`); nil
    /// where it names none. The variables stay, for child processes that report in its place. To be
    /// called when the program starts and no other thread changes the environment (getenv(3)).
    /// - Throws: `SupervisorError.malformed`.
    public static func ofThisProcess() throws(SupervisorError) -> Supervisor? {
        try Supervisor(process: ProcessEnvironment.process, kernel: Kernel()) {
            ProcessEnvironment.variable($0)
        }
    }

    init?(
        process: Int32, kernel: Kernel, _ variable: (String) -> String?
    ) throws(SupervisorError) {
        guard let path = variable("NOTIFY_SOCKET") else { return nil }
        do throws(AddressError) {
            // Not `unix:` and not a relative path, which `SocketAddress` would take, too.
            guard path.hasPrefix("/") || path.hasPrefix("@") else {
                throw AddressError(text: path, reason: .emptyPath)
            }
            address = .unix(try UnixPath(path))
        } catch {
            throw .malformed(variable: "NOTIFY_SOCKET", text: path)
        }
        self.kernel = kernel
        watchdog = try Self.watchdog(of: process, variable)
    }

    private static func watchdog(
        of process: Int32, _ variable: (String) -> String?
    ) throws(SupervisorError) -> Duration? {
        guard let time = variable("WATCHDOG_USEC") else { return nil }
        let microseconds = try SupervisorError.number(
            time, of: "WATCHDOG_USEC", atMost: Int64.max / 1000)
        if let meant = variable("WATCHDOG_PID") {
            let number = try SupervisorError.number(meant, of: "WATCHDOG_PID", atMost: .max)
            guard number == process else { return nil }
        }
        return microseconds > 0 ? .microseconds(microseconds) : nil
    }

    /// `READY=1`: the process serves.
    public func ready() throws(SystemError) { try send(.ready) }

    /// `STOPPING=1`: it ends itself, within this time, which the supervisor is asked to grant
    /// (`EXTEND_TIMEOUT_USEC`).
    public func stopping(within time: Duration) throws(SystemError) {
        try send(.stopping(within: time))
    }

    /// `RELOADING=1`: it reads its configuration anew; `ready()` says when it has.
    public func reloading() throws(SystemError) { try send(.reloading(at: kernel.now())) }

    /// `STATUS=`: what it does, in a line for people. A line's end becomes a space.
    public func status(_ text: String) throws(SystemError) { try send(.status(text)) }

    /// `WATCHDOG=1`: it is not stuck.
    public func alive() throws(SystemError) { try send(.alive) }

    /// One datagram of lines. A supervisor that takes none now is an error, like one that is gone.
    func send(_ message: SupervisorMessage) throws(SystemError) {
        let bytes = [UInt8](message.lines.utf8)
        try SystemError.require(.sendto) {
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe address.withRawAddress { address, length in
                    unsafe kernel.sendDatagram(
                        address, length, bytes.baseAddress.unsafelyUnwrapped, bytes.count)
                }
            }
        }
    }
}

/// What a supervisor is told.
enum SupervisorMessage {
    case ready
    case stopping(within: Duration)
    /// At this time of the monotonic clock, in nanoseconds.
    case reloading(at: Int64)
    case status(String)
    case alive

    var lines: String {
        switch self {
        case .ready: "READY=1"
        case .stopping(let time):
            "STOPPING=1\nEXTEND_TIMEOUT_USEC=\(time.roundedUp(to: .microseconds(1)))"
        case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time / 1000)"
        case .status(let text): "STATUS=\(String(text.map { $0.isNewline ? " " : $0 }))"
        case .alive: "WATCHDOG=1"
        }
    }
}
