// Listening sockets that a supervisor made and has handed over, as sd_listen_fds(3) says.

/// A listening socket that another process made. It is closed when nobody listens on it.
public struct InheritedListener: ~Copyable {
    /// What the supervisor calls it; `unknown` where it did not say.
    public let name: String
    private var socket: ListeningSocket

    fileprivate init(name: String, socket: consuming ListeningSocket) {
        self.name = name
        self.socket = socket
    }

    /// Where it listens.
    public var address: SocketAddress { socket.address }

    consuming func take() -> Descriptor { socket.descriptor.take() }
}

/// The listening sockets that were handed over to this process: by a socket unit of systemd, or by
/// whatever else speaks sd_listen_fds(3). What nobody has claimed is closed with this object.
///
///     let inherited = try InheritedListeners.take()
///     try reactor.listen(on: inherited.claim("echo")) { session in … }
///
/// Their connections wait in the kernel while no process accepts them: so a service that is
/// restarted refuses none. May be used on any thread.
public final class InheritedListeners: Sendable {
    private struct Entry: Sendable {
        let name: String
        let number: Int32
    }

    private let entries: Locked<[Entry]>
    private let kernel: Kernel

    /// Takes them all, and takes the variables that told of them out of the environment, so that no
    /// child process believes them. None where no variable names this process. To be called once,
    /// first of all in a program: before it opens descriptors, whose numbers could be meant, and
    /// while no other thread uses the environment (getenv(3)).
    ///
    /// Each becomes nonblocking and is closed on exec(2).
    /// - Throws: `SupervisorError.malformed` and `.notAListener`. All that are listeners are closed
    ///   then; what is none may belong to somebody else.
    public static func take() throws(SupervisorError) -> InheritedListeners {
        let variables = ListenVariables { ProcessEnvironment.variable($0) }
        ListenVariables.names.forEach(ProcessEnvironment.forget)
        let (named, fault) = try variables.handedOver(to: ProcessEnvironment.process)
        return try InheritedListeners(named, fault, kernel: Kernel())
    }

    /// With a fault it throws that, and has closed the listeners.
    init(
        _ handedOver: [(name: String, number: Int32)], _ fault: SupervisorError? = nil,
        kernel: Kernel
    ) throws(SupervisorError) {
        self.kernel = kernel
        var sound: [Entry] = []
        var fault = fault
        for (name, number) in handedOver {
            do throws(SystemError) {
                try ListeningSocket.adopt(number, kernel: kernel)
                sound.append(Entry(name: name, number: number))
            } catch {
                fault = fault ?? .notAListener(descriptor: number, error)
            }
        }
        entries = Locked(sound)
        if let fault { throw fault }
    }

    deinit {
        for entry in entries.withLock({ $0 }) { _ = kernel.close(entry.number) }
    }

    /// The names of those that nobody has claimed, in the order in which they were handed over.
    public var names: [String] { entries.withLock { $0.map(\.name) } }

    /// The first that has this name and that nobody has claimed.
    /// - Throws: `SupervisorError.noListener` when there is none: to listen afresh in its place
    ///   would leave its connections waiting for ever. `.notAListener` when the kernel does not
    ///   tell where it listens.
    public func claim(_ name: String) throws(SupervisorError) -> InheritedListener {
        let number = entries.withLock { entries in
            entries.firstIndex { $0.name == name }.map { entries.remove(at: $0).number }
        }
        guard let number else { throw .noListener(named: name) }
        do throws(SystemError) {
            return InheritedListener(
                name: name, socket: try ListeningSocket.adopted(number, kernel: kernel))
        } catch {
            throw .notAListener(descriptor: number, error)
        }
    }
}

/// The variables of sd_listen_fds(3), as they stand in the environment.
struct ListenVariables {
    static let names = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]
    /// The first descriptor that is handed over: those below are the standard streams.
    private static let firstDescriptor: Int32 = 3
    /// More than a process may have open by default, and few enough to look at each.
    private static let maximumCount: Int64 = 65_536

    private let process: String?
    private let count: String?
    private let descriptorNames: String?

    init(_ variable: (String) -> String?) {
        process = variable("LISTEN_PID")
        count = variable("LISTEN_FDS")
        descriptorNames = variable("LISTEN_FDNAMES")
    }

    /// What is handed over to the process of this number, nothing where another is meant; and what
    /// is wrong with the names, which are unknown then.
    func handedOver(
        to own: Int32
    ) throws(SupervisorError) -> ([(name: String, number: Int32)], fault: SupervisorError?) {
        guard let process, let count else { return ([], nil) }
        let meant = try SupervisorError.number(process, of: "LISTEN_PID", atMost: .max)
        guard meant == own else { return ([], nil) }
        let total = try SupervisorError.number(
            count, of: "LISTEN_FDS", atMost: Self.maximumCount)
        guard total > 0 else { return ([], nil) }
        let numbers = Self.firstDescriptor..<Self.firstDescriptor + Int32(total)
        guard let descriptorNames else { return (numbers.map { ("unknown", $0) }, nil) }
        let names = descriptorNames.split(separator: ":", omittingEmptySubsequences: false)
        guard names.count == numbers.count else {
            return (
                numbers.map { ("unknown", $0) },
                .malformed(variable: "LISTEN_FDNAMES", text: descriptorNames)
            )
        }
        return (zip(names, numbers).map { (String($0), $1) }, nil)
    }
}
