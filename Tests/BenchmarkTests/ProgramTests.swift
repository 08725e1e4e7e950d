// The benchmark as a program: it runs, tells, and leaves nothing behind.
import Glibc
import Testing

@testable import throughput_benchmark

@Suite struct ProgramTests {
    /// Beside the program that runs the tests.
    private let path =
        Files.ownProgram.split(separator: "/").dropLast()
        .reduce(into: "") { $0 += "/" + $1 } + "/throughput-benchmark"

    private func run(_ words: String) throws -> (status: Int32, output: String, errors: String) {
        let folder = try TemporaryFolder()
        let program = try start(words, in: folder.path)
        return (
            awaitEnd(program), Files.read("\(folder.path)/output") ?? "",
            Files.read("\(folder.path)/errors") ?? ""
        )
    }

    /// Its streams are files in the folder.
    private func start(_ words: String, in folder: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (stream, name) in [(STDOUT_FILENO, "output"), (STDERR_FILENO, "errors")] {
            posix_spawn_file_actions_addopen(
                &actions, stream, "\(folder)/\(name)", O_WRONLY | O_CREAT, 0o600)
        }
        let arguments = [path] + words.split(separator: " ").map(String.init)
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var program: pid_t = 0
        let code = posix_spawn(&program, path, &actions, nil, &pointers, environ)
        guard code == 0 else { throw Failure(path, code: -Int(code)) }
        return program
    }

    /// The exit status; -1 when a signal ended it.
    private func awaitEnd(_ program: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(program, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : -1
    }

    @Test func `a short run prints a table and writes a file, without progress in a pipe`() throws {
        let folder = try TemporaryFolder()
        let file = "\(folder.path)/results.json"
        let result = try run(
            "--scenario throughput --scenario churn --scenario open-loop --scenario idle "
                + "--connections 5 --duration 0.05 --warm-up 0.01 --rounds 2 --no-costs "
                + "--json \(file)"
        )
        #expect(result.status == 0)
        #expect(result.errors == "")
        #expect(result.output.contains("scenario    packets/s"))
        #expect(!result.output.contains("\u{1b}"))
        let report = try readReport(file)
        #expect(report.scenarios.map(\.name) == ["throughput", "churn", "open-loop", "idle"])
        let rounds = report.scenarios[0].servers[0].rounds
        #expect(rounds.count == 2)
        #expect(rounds.allSatisfy { ($0[.packetsPerSecond] ?? 0) > 0 })
        #expect(report.scenarios[3].servers[0].rounds[0][.bytesPerConnection] != nil)
        let comparison = try run("--compare \(file) \(file)")
        #expect(comparison.status == 0)
        #expect(comparison.output.contains("throughput, tron"))
    }

    @Test(arguments: ["sizes", "pairs", "room"])
    func `each route of our own server passes, and its bytes are counted`(kind: String) throws {
        let folder = try TemporaryFolder()
        let file = "\(folder.path)/results.json"
        let result = try run(
            "--scenario \(kind) --size 5000 --packets 3000 --rounds 1 "
                + "--json \(file)")
        #expect(result.status == 0, "\(result.errors)")
        let report = try readReport(file)
        #expect(report.scenarios.map(\.name) == ["\(kind)-5000"])
        let round = try #require(report.scenarios.first?.servers.first?.rounds.first)
        #expect((round[.megabytesPerSecond] ?? 0) > 0)
        #expect((round[.processorTimeOfByte] ?? 0) > 0)
    }

    @Test func `a wrong answer ends the program with status 1`() throws {
        let server = try EchoServer { bytes, offset in if offset > 5000 { bytes[0] ^= 1 } }
        let result = try run("--connect \(server.endpoint.text) --scenario throughput")
        #expect(result.status == 1)
        #expect(result.errors.contains("a wrong answer: byte "))
    }

    @Test(arguments: [
        ("--help", 0), ("--window x", 64), ("--compare /nothing /nothing", 1),
        ("--connect 127.0.0.1:1 --scenario idle", 1),
    ])
    func `the exit status tells how it ended`(words: String, status: Int32) throws {
        #expect(try run(words).status == status)
    }

    @Test func `an interrupted run ends its server`() throws {
        let folder = try TemporaryFolder()
        let words = "--scenario throughput --duration 20 --rounds 1 --no-costs"
        let program = try start(words, in: folder.path)
        let server = child(of: program)
        kill(program, SIGINT)
        #expect(awaitEnd(program) == 130)
        #expect(kill(try #require(server), 0) == -1)
    }

    /// Waits for it, for at most ten seconds.
    private func child(of process: pid_t) -> pid_t? {
        let path = "/proc/\(process)/task/\(process)/children"
        for _ in 0..<1000 {
            let words = Files.read(path)?.split(separator: " ") ?? []
            if let child = words.first.flatMap({ pid_t($0) }) { return child }
            usleep(10_000)
        }
        return nil
    }
}
