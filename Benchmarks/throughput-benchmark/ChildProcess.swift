// A process that ends with this one.
import CBenchmark
import Glibc

/// Killed, and waited for, when its owner goes; by the kernel, should this process be killed.
struct ChildProcess: ~Copyable {
    let identifier: pid_t
    private var isRunning = true

    /// Starts a program. `environment` is added to this process's own.
    init(_ words: [String], environment: [String] = []) throws(Failure) {
        let arguments = [Files.ownProgram, Self.becomeVerb] + words
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // A group of its own: control-C is for this process, which then ends the child.
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        var identifier: pid_t = 0
        let code = unsafe Self.withPointers(arguments) { arguments in
            unsafe Self.withPointers(environment + Self.ownEnvironment) { environment in
                unsafe posix_spawn(
                    &identifier, Files.ownProgram, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw Failure("starting \(words[0])", code: -Int(code)) }
        self.identifier = identifier
    }

    deinit {
        guard isRunning else { return }
        kill(identifier, SIGKILL)
        waitpid(identifier, nil, 0)
    }

    func signal(_ number: Int32) { kill(identifier, number) }

    /// Whether it has ended by itself. It may be asked for again.
    mutating func hasEnded() -> Bool {
        if isRunning, waitpid(identifier, nil, WNOHANG) == identifier { isRunning = false }
        return !isRunning
    }

    /// Waits for its end; false when it does not come in so many seconds.
    mutating func awaitEnd(seconds: Int) throws(Failure) -> Bool {
        for _ in 0..<seconds * 100 {
            if hasEnded() { return true }
            try Interrupt.check()
            usleep(10_000)
        }
        return hasEnded()
    }

    /// Runs a program to its end; its exit status, or nil when a signal ended it.
    static func run(_ words: [String]) throws(Failure) -> Int32? {
        var child = try ChildProcess(words)
        var status: Int32 = 0
        while unsafe waitpid(child.identifier, &status, 0) < 0 { try Interrupt.check() }
        child.isRunning = false
        return status & 0x7f == 0 ? status >> 8 & 0xff : nil
    }

    private static var ownEnvironment: [String] {
        var words: [String] = []
        var place = unsafe environ
        while let word = unsafe place.pointee {
            unsafe words.append(String(cString: word))
            unsafe place += 1
        }
        return words
    }

    private static func withPointers(
        _ words: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32
    ) -> Int32 {
        let pointers = unsafe words.map { unsafe strdup($0) }
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe body(pointers + [nil])
    }
}

// MARK: - The child's side

extension ChildProcess {
    /// The hidden first argument by which this program becomes another one that dies with its
    /// parent: nothing else can ask for that between fork and exec.
    static let becomeVerb = "--become"

    static func become(_ words: [String]) -> Int32 {
        guard !words.isEmpty else { return ExitStatus.misuse }
        _ = benchmark_die_with_parent()
        var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
        unsafe execv(words[0], &pointers)
        return 127
    }
}
