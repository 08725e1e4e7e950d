// The demo's pure parts: the command line's meaning, and lines out of chunks.
import Testing
import Tron

@testable import echo_demo

@Suite struct EchoDemoPartsTests {
    @Test func `options reach what they are for`() throws {
        let line =
            "serve --port 9 --host ::1 --idle 1.5 --max-data 7 --max-sessions 8 --max-per-address 9"
        let settings = try serveSettings(line)
        let options = settings.options
        #expect(settings.address?.description == "[::1]:9")
        #expect(settings.metrics == nil && !settings.watches && settings.reactors == 1)
        #expect(try serveSettings("serve --watch --port 9").watches)
        #expect(options.session.idle.either == .milliseconds(1500))
        #expect(options.session.limits.maximumDataLength == 7)
        #expect(options.limits.maximumSessions == 8)
        #expect(options.limits.maximumSessionsPerAddress == 9)
    }

    @Test func `retry options make the backoff`() throws {
        let line =
            "connect --host localhost --port 9 --timeout 2.5 --retry-initial 0.5"
            + " --retry-multiplier 1.5 --retry-cap 9 --retry-attempts 4 --jitter full"
        let settings = try connectSettings(line)
        #expect(settings.address == "localhost:9")
        #expect(settings.timeout == .milliseconds(2500))
        let expected = Backoff(
            initial: .milliseconds(500), multiplier: 1.5, cap: .seconds(9), attempts: 4,
            jitter: .full)
        #expect(settings.backoff == expected)
    }

    @Test func `without options it retries after three seconds, eight times`() throws {
        let expected = Backoff(
            initial: .seconds(3), multiplier: 2, cap: .seconds(60), attempts: 8, jitter: .equal)
        #expect(try connectSettings("connect --port 9").backoff == expected)
        let slow = try connectSettings("connect --port 9 --retry-initial 90").backoff
        #expect(slow.cap == .seconds(90))
    }

    /// Found by fuzzing: the backoff trapped, and an idle time of nothing was taken for one.
    @Test(arguments: ["serve --idle", "connect --retry-initial", "connect --timeout"])
    func `a time that no duration can tell from zero is refused as zero is`(option: String) {
        let tiny = "0." + String(repeating: "0", count: 24) + "1"
        for seconds in [tiny, "0", "0.0"] {
            let words = "\(option) \(seconds) --port 9".split(separator: " ").map(String.init)
            #expect(throws: UsageError.self, "\(seconds)") { try Command(words) }
        }
    }

    /// Found by fuzzing: the colon and the mark after it are one character.
    @Test func `a host with a colon is no path, whatever follows the colon`() {
        #expect(throws: UsageError.self) {
            try Command(["serve", "--port", "10", "--host", "/m:\u{35C}x"])
        }
    }

    @Test func `proxies are required from the networks that are given, each once more`() throws {
        #expect(try serveSettings("serve --port 9").options.proxyProtocol == nil)
        let line = "serve --port 9 --proxy-from 10.0.0.0/8 --proxy-from unix"
        let networks = try serveSettings(line).options.proxyProtocol?.networks
        #expect(networks == [try Network("10.0.0.0/8"), .unix])
        let words = ["serve", "--port", "9", "--proxy-from", "10.1.0.0/8"]
        let error = #expect(throws: UsageError.self) { try Command(words) }
        #expect(error?.reason.hasPrefix("--proxy-from: \"10.1.0.0/8\" is not a network: ") == true)
    }

    @Test func `metrics are served on this machine alone unless an address is given`() throws {
        for (text, address) in ["9100": "127.0.0.1:9100", "[::]:9100": "[::]:9100"] {
            let settings = try serveSettings("serve --port 9 --metrics \(text)")
            #expect(settings.metrics?.description == address)
        }
    }

    private func serveSettings(_ line: String) throws -> ServeSettings {
        let command = try Command(line.split(separator: " ").map(String.init))
        guard case .serve(let settings) = command else {
            throw ProcessFailure(description: "\(command)")
        }
        return settings
    }

    private func connectSettings(_ line: String) throws -> ConnectSettings {
        let command = try Command(line.split(separator: " ").map(String.init))
        guard case .connect(let settings) = command else {
            throw ProcessFailure(description: "\(command)")
        }
        return settings
    }

    @Test func `a line's time does not run out while there is no server`() {
        let start = ContinuousClock.now
        var patience = Patience(limit: .seconds(3), from: start)
        #expect(!patience.isOver(at: start + .seconds(100), isConnected: false))
        // The server is back: from here on its silence counts.
        patience.beginAnew(at: start + .seconds(100))
        #expect(!patience.isOver(at: start + .milliseconds(102_999), isConnected: true))
        #expect(patience.isOver(at: start + .seconds(103), isConnected: true))
        #expect(!patience.isOver(at: start + .seconds(103), isConnected: false))
    }

    @Test func `a line's time does not run out while others are answered`() {
        let start = ContinuousClock.now
        var patience = Patience(limit: .seconds(3), from: start)
        for second in 1...10 {
            #expect(!patience.isOver(at: start + .seconds(second), isConnected: true))
            patience.beginAnew(at: start + .seconds(second))
        }
        #expect(patience.isOver(at: start + .seconds(13), isConnected: true))
    }

    @Test func `lines come out the same however the input is cut`() {
        let text = [UInt8]("one\n\r\n\nlonger than that\nrest".utf8)
        for length in 1...text.count {
            var splitter = LineSplitter(maximumLength: 100)
            let lines = stride(from: 0, to: text.count, by: length).flatMap { start in
                splitter.split(Array(text[start..<min(start + length, text.count)]))
            }
            #expect(
                (lines + splitter.finish()).map { String(decoding: $0, as: UTF8.self) }
                    == ["one", "\r", "", "longer than that", "rest"])
        }
    }

    @Test func `a line without end is given up, not collected`() {
        var splitter = LineSplitter(maximumLength: 4)
        #expect(splitter.split([1, 2, 3, 4]) == [])
        #expect(splitter.split([5]) == [[1, 2, 3, 4, 5]])
        #expect(splitter.finish() == [])
    }
}
