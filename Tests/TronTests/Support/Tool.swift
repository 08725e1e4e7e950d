// Tools of the machine.
import Glibc

/// Programs of the machine, run without streams.
enum Tool {
    static func has(_ tools: String...) -> Bool { tools.allSatisfy { run("which", [$0]) } }

    /// Whether it ended with 0.
    static func run(_ tool: String, _ arguments: [String]) -> Bool {
        guard let id = spawn([tool] + arguments) else { return false }
        var status: Int32 = 0
        return waitpid(id, &status, 0) == id && status == 0
    }

    /// Starts a tool without the sockets of other tests, whose ends it would hold back.
    static func spawn(_ words: [String]) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        }
        for number: Int32 in 3..<1024 { posix_spawn_file_actions_addclose(&actions, number) }
        var arguments = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var id: pid_t = 0
        return posix_spawnp(&id, words[0], &actions, nil, &arguments, environ) == 0 ? id : nil
    }

    /// Kills a process that `spawn` started, and waits for its end.
    static func kill(_ id: pid_t) {
        Glibc.kill(id, SIGKILL)
        waitpid(id, nil, 0)
    }
}
