// The relay example as a process, and what its tests put before and behind it.
import Glibc
import Testing
import Tron

@testable import relay_load

/// `example-relay serve` as a process that listens.
struct RelayUnderTest {
    let process: ProcessUnderTest
    let address: SocketAddress

    init(to backend: SocketAddress, _ options: [String] = []) throws {
        process = try ProcessUnderTest(
            ["serve", "--port", "0", "--backend", "\(backend)"] + options, of: "example-relay")
        let words = try process.readLine().split(separator: " ")
        try #require(words.dropLast() == ["listening", "on"])
        address = try SocketAddress(String(words[2]))
    }

    /// Its memory at the most so far, in bytes: VmHWM of proc(5).
    func mostMemory() throws -> Int {
        let file = try #require(fopen("/proc/\(process.id)/status", "r"))
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let words = line.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                .split { $0 == " " || $0 == "\t" }
            if words.first == "VmHWM:" { return try #require(Int(words[1])) << 10 }
        }
        throw ProcessFailure(description: "no VmHWM")
    }

    /// A program with a sanitizer takes far more memory.
    static let hasOrdinaryMemory = dlsym(nil, "__sanitizer_get_current_allocated_bytes") == nil

    /// Awaits its end, which has to be a good one, with every reply given, and says what it told at
    /// its end: how many requests were answered, and how many were not.
    func awaitEnd() throws -> (answered: Int, failed: Int) {
        let outcome = try process.awaitEnd()
        #expect(outcome.status == 0 && outcome.errors == "")
        let lines = outcome.output.split(separator: "\n")
        let sums = try #require(lines.first { $0.contains(" closed, ") }).split(separator: "; ")
        #expect(sums[0].hasSuffix(" closed, 0 aborted, 0 replies not given"))
        let words = sums[1].split(separator: " ")
        try #require(words.count == 4 && words[1] == "answered," && words[3] == "not")
        return (try #require(Int(words[0])), try #require(Int(words[2])))
    }

    /// Ends it.
    func end() throws -> (answered: Int, failed: Int) {
        process.signal(SIGTERM)
        return try awaitEnd()
    }
}

/// A load, and the reactor that it and perhaps a backend run on.
struct RelayBench {
    let reactor: Reactor
    let load: RelayLoad

    /// Runs until the load's sessions have ended; nothing may have been wrong.
    func run(
        sourceLocation: SourceLocation = #_sourceLocation,
        onOutcome: @escaping (RelayLoad) -> Void = { _ in }
    ) throws {
        reactor.schedule(after: .seconds(100)) { load.fail("no end") }
        load.begin(onOutcome: onOutcome)
        try reactor.run()
        #expect(load.problem == nil, "TRON_SEED=\(RandomRun.seed)", sourceLocation: sourceLocation)
    }
}

/// A suite of tests of the relay.
protocol RelaySuite {}

extension RelaySuite {
    static func bench(
        _ relay: RelayUnderTest, _ settings: RelayLoad.Settings, on reactor: Reactor? = nil
    ) throws -> RelayBench {
        let reactor = try reactor ?? Reactor()
        let load = RelayLoad(to: relay.address, on: reactor, settings)
        return RelayBench(reactor: reactor, load: load)
    }
}

extension RelayLoad.Settings {
    init(peers: Int = 8, requests: Int, upTo maximumDataLength: Int = 1000) {
        self.init()
        self.peers = peers
        self.requests = requests
        self.maximumDataLength = maximumDataLength
        seed = RandomRun.seed
    }

    var total: Int { peers * requests }
}
