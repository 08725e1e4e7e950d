// The demo as a process that has too few descriptors, or a clock that is set.
import Foundation
import Testing

@testable import Tron

/// The library that fakes the wall clock by what a file says, where it is and works.
private struct FakeClock {
    private static let libraries = ["x86_64", "aarch64"].map {
        "/usr/lib/\($0)-linux-gnu/faketime/libfaketime.so.1"
    }
    static let isPossible = (try? FakeClock(-20_000).works) == true

    private let path = FileManager.default.temporaryDirectory
        .appending(path: "tron-clock-\(UUID().uuidString)").path

    init(_ days: Int) throws { try set(days) }

    /// What a program is started with to see this clock; the monotonic one stays the machine's.
    var launcher: [String] {
        let library = Self.libraries.first { access($0, R_OK) == 0 } ?? ""
        return [
            "env", "LD_PRELOAD=\(library)", "FAKETIME_TIMESTAMP_FILE=\(path)",
            "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
            // The library adds to the environment of the first program that it is loaded into,
            // where Swift then does not find the arguments.
            "sh", "-c", #"exec "$0" "$@""#,
        ]
    }

    func set(_ days: Int) throws {
        try "\(days < 0 ? "" : "+")\(days)d\n".write(
            toFile: path, atomically: true, encoding: .utf8)
    }

    func remove() { unlink(path) }

    /// A sanitizer wants to be loaded first: the program then does not start, or hangs.
    private var works: Bool {
        defer { remove() }
        let date = ["sh", "-c", #"test "$(date +%Y)" -lt 2000"#]
        let demo = [ProcessUnderTest.productFolder + "/echo-demo", "--version"]
        return [date, demo].allSatisfy { Tool.run("timeout", ["-s", "KILL", "5"] + launcher + $0) }
    }
}

@Suite struct HardTimesTests {
    private let ping = wire("ping")

    /// How often a process went to sleep of its own accord, by its number.
    private func sleeps(_ id: pid_t) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("voluntary") })
        return try #require(Int(line.split(separator: "\t")[1]))
    }

    @Test func `out of descriptors it sleeps, serves whom it has, and goes on when one is free`()
        throws
    {
        let limit = ["sh", "-c", #"ulimit -n 64; exec "$0" "$@""#]
        let server = try EchoServer(under: limit)
        var peers = try (0..<200).map { _ in try Peer(to: server.address) }
        for peer in peers { peer.send(ping) }
        let isServed = { (peer: Peer) in peer.drained.received == ping }
        let patience = ContinuousClock.now + .seconds(20)
        while peers.count(where: isServed) < 50 && ContinuousClock.now < patience { usleep(1000) }
        let served = peers.count(where: isServed)
        #expect(served >= 50 && served < 64)
        // A process that spins never sleeps; this one looks again every 50 ms.
        let before = try sleeps(server.process.id)
        let end = ContinuousClock.now + .seconds(10)
        while try sleeps(server.process.id) < before + 3 && ContinuousClock.now < end {
            usleep(10_000)
        }
        #expect(try sleeps(server.process.id) >= before + 3)
        // Those that are gone make room for those that wait.
        while peers.count > 0 && ContinuousClock.now < end + .seconds(20) {
            peers.removeAll(where: isServed)
            usleep(1000)
        }
        #expect(peers.isEmpty)
        #expect(try server.end(with: SIGTERM).status == 0)
    }

    @Test(.enabled(if: FakeClock.isPossible, "needs libfaketime, and no sanitizer"))
    func `the wall clock set forward and back does not move timers`() throws {
        let clock = try FakeClock(0)
        defer { clock.remove() }
        let server = try EchoServer(["--port", "0", "--idle", "2"], under: clock.launcher)
        let client = try PlainClient(server.address)
        for days in [400, -400, 0] {
            try clock.set(days)
            client.send(ping)
            #expect(try client.receive(count: ping.count) == ping)
        }
        let start = ContinuousClock.now
        try clock.set(-400)
        #expect(try client.receive(count: 1) == [])
        // Not before its time, and not four hundred days late.
        #expect(ContinuousClock.now - start > .seconds(1.5))
        client.finish()
        #expect(try server.end(with: SIGTERM).status == 0)
    }
}
