// A program run as a process: its streams, its signals, its end, each awaited with a deadline.
import Foundation
import Testing

/// Why a process did not do what was awaited.
struct ProcessFailure: Error, CustomStringConvertible {
    let description: String
}

/// A running program. Every wait has the same deadline, after which the process is killed.
final class ProcessUnderTest {
    /// How a process ended, and what it wrote.
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    let id: pid_t
    private var input: Int32
    private let output: Int32
    private let errors: Int32
    private var outputRead: [UInt8] = []
    private var errorsRead: [UInt8] = []
    private var isReaped = false

    static let patience: Int32 = 30_000

    /// Starts the demo, or another of the package's programs. No signal is blocked in it, unlike in
    /// the threads of tests. Its streams are sockets, which unlike pipes can be made
    /// closed-on-exec at once: another process, started at the same time, must not inherit them.
    /// With a `terminal`, that is its standard output. The variables are added to this process's.
    /// A launcher is a tool with its arguments that becomes the program, or traces it.
    init(
        _ arguments: [String], of program: String = "echo-demo", under launcher: [String] = [],
        terminal: Int32? = nil, environment: [String: String] = [:]
    ) throws {
        let path = Self.productFolder + "/" + program
        let command = launcher + [path] + arguments
        let streams = try (0..<3).map { _ in try Self.socketPair() }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, stream) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, stream.theirs, Int32(number))
        }
        if let terminal { posix_spawn_file_actions_adddup2(&actions, terminal, STDOUT_FILENO) }
        // Sockets of other tests would stay open there after they were closed here.
        for number in 3..<1024 { posix_spawn_file_actions_addclose(&actions, Int32(number)) }
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        let all = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        var variables: [UnsafeMutablePointer<CChar>?] =
            all.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { variables.forEach { free($0) } }
        var id: pid_t = 0
        var attributes = Self.attributesWithoutMask()
        defer { posix_spawnattr_destroy(&attributes) }
        let code = posix_spawnp(&id, command[0], &actions, &attributes, &words, &variables)
        for stream in streams { close(stream.theirs) }
        input = streams[0].ours
        output = streams[1].ours
        errors = streams[2].ours
        self.id = id
        isReaped = code != 0
        guard code == 0 else {
            throw ProcessFailure(description: "\(command[0]): posix_spawn: error \(code)")
        }
    }

    deinit {
        endInput()
        close(output)
        close(errors)
        if !isReaped {
            kill(id, SIGKILL)
            waitpid(id, nil, 0)
        }
    }

    private static func attributesWithoutMask() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        return attributes
    }

    /// Runs a program to its end.
    static func run(_ arguments: [String], input: String = "") throws -> Outcome {
        let process = try ProcessUnderTest(arguments)
        process.write(input)
        process.endInput()
        return try process.awaitEnd()
    }

    func write(_ text: String) {
        var rest = [UInt8](text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(input, $0.baseAddress, $0.count, Self.noSignal)
            }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    func endInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    func signal(_ number: Int32) { kill(id, number) }

    /// The next line of standard output.
    func readLine() throws -> String {
        while true {
            if let end = outputRead.firstIndex(of: UInt8(ascii: "\n")) {
                defer { outputRead.removeFirst(end + 1) }
                return String(decoding: outputRead[..<end], as: UTF8.self)
            }
            guard let bytes = try Self.receive(output), !bytes.isEmpty else {
                throw ProcessFailure(description: "no line on standard output")
            }
            outputRead += bytes
        }
    }

    /// Waits until the text has come on standard error.
    func awaitErrors(_ text: String) throws {
        while !String(decoding: errorsRead, as: UTF8.self).contains(text) {
            guard let bytes = try Self.receive(errors), !bytes.isEmpty else {
                throw ProcessFailure(description: "\(text) does not come on standard error")
            }
            errorsRead += bytes
        }
    }

    /// Awaits the end: of both streams, which the kernel closes with the process, then of itself.
    func awaitEnd() throws -> Outcome {
        var open: Set = [output, errors]
        while !open.isEmpty {
            var polled = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&polled, nfds_t(polled.count), Self.patience) > 0 else {
                throw ProcessFailure(description: "the process does not end")
            }
            for stream in polled where stream.revents != 0 {
                let bytes = try Self.receive(stream.fd, patience: 0) ?? []
                if bytes.isEmpty { open.remove(stream.fd) }
                if stream.fd == output { outputRead += bytes } else { errorsRead += bytes }
            }
        }
        return Outcome(
            status: try reap(), output: String(decoding: outputRead, as: UTF8.self),
            errors: String(decoding: errorsRead, as: UTF8.self))
    }

    /// The exit status; a signal that ended the process counts from 128, as in a shell.
    private func reap() throws -> Int32 {
        var status: Int32 = 0
        guard waitpid(id, &status, 0) == id else {
            throw ProcessFailure(description: "waitpid failed")
        }
        isReaped = true
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }
}

// MARK: - Sockets

extension ProcessUnderTest {
    static let noSignal = Int32(MSG_NOSIGNAL)

    /// What arrives within `patience` milliseconds: nothing at the end of the stream or at a
    /// reset, nil where nothing happens.
    static func receive(
        _ descriptor: Int32, patience: Int32 = ProcessUnderTest.patience
    ) throws -> [UInt8]? {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, patience) > 0 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            count = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
        }
    }

    private static func socketPair() throws -> (ours: Int32, theirs: Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw ProcessFailure(description: "no socket pair")
        }
        return (ends[0], ends[1])
    }

    /// The programs lie where this target's resources do.
    static let productFolder = Bundle.module.bundleURL.deletingLastPathComponent().path
}
