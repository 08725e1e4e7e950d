// What the demo needs of the C library: streams, a limit, a clock, and a program to start.
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The exit statuses; misuse is EX_USAGE of sysexits.h.
enum ExitStatus {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let misuse: Int32 = 64
}

/// What is said to whoever started the program.
enum Terminal {
    /// A line on standard output, which leaves at once: others wait for it.
    static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    /// Why the program fails: a line on standard error, in its name.
    static func complain(_ line: String) { note("cluster-demo: \(line)") }

    /// What happens meanwhile: a line on standard error.
    static func note(_ line: String) {
        let bytes = [UInt8]("\(line)\n".utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

enum Platform {
    static func exit(_ status: Int32) -> Never {
        #if canImport(Glibc)
            Glibc.exit(status)
        #else
            Musl.exit(status)
        #endif
    }

    /// Lets the process have as many descriptors as it may: a session takes one.
    static func raiseDescriptorLimit() {
        #if canImport(Glibc)
            let descriptors = Int32(RLIMIT_NOFILE.rawValue)
        #else
            let descriptors = RLIMIT_NOFILE
        #endif
        var limit = rlimit()
        guard unsafe getrlimit(descriptors, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(descriptors, &limit)
    }

    /// Nanoseconds since 1970: what is greater in each life of a node, as long as nobody sets the
    /// clock back.
    static func nanosecondsOfDay() -> UInt64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Where the program lies on the PATH; nil where it does not.
    static func program(named name: String) -> String? {
        guard let value = unsafe getenv("PATH") else { return nil }
        let folders = unsafe String(cString: value).split(separator: ":")
        return folders.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
    }
}

/// A program that was started, silent, and is killed at the latest when this is released.
final class StartedProgram {
    private let id: pid_t
    private var isRunning: Bool

    /// Nil when it cannot be started.
    init?(_ path: String, _ arguments: [String]) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for stream in [STDOUT_FILENO, STDERR_FILENO] {
            _ = unsafe posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0)
        }
        var words: [UnsafeMutablePointer<CChar>?] =
            unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var id: pid_t = 0
        guard unsafe posix_spawn(&id, path, &actions, nil, &words, environ) == 0 else { return nil }
        self.id = id
        isRunning = true
    }

    deinit { killNow() }

    /// As `kill -9` does.
    func killNow() {
        guard isRunning else { return }
        isRunning = false
        kill(id, SIGKILL)
        _ = waitpid(id, nil, 0)
    }
}
