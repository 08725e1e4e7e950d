// What this demo needs of the C library besides: a clock, and a program to start.
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Terminal {
    /// In whose name it complains.
    static let program = "cluster-demo"
}

extension Platform {
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
