// The benchmark as a program: it runs, tells, and leaves nothing behind.
import Foundation
import Testing

@testable import throughput_benchmark

@Suite struct ProgramTests {
    /// Beside the program that runs the tests.
    private let path =
        Files.ownProgram.split(separator: "/").dropLast()
        .reduce(into: "") { $0 += "/" + $1 } + "/throughput-benchmark"

    private func run(_ words: String) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = words.split(separator: " ").map(String.init)
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let told = output.fileHandleForReading.readDataToEndOfFile()
        let complained = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: told, as: UTF8.self),
            String(decoding: complained, as: UTF8.self)
        )
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
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = [
            "--scenario", "throughput", "--duration", "20", "--rounds", "1", "--no-costs",
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let server = try #require(child(of: process.processIdentifier))
        process.interrupt()
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        #expect(kill(server, 0) == -1)
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
