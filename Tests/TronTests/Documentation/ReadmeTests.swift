// What the README claims in code: its snippets stand in the tests too, compiled and run.
import Foundation
import Testing
import TronTestKit

@testable import Tron

private let here = URL(filePath: #filePath)

/// The files that the snippets stand in.
private let files = [
    "ReadmeTests", "ReadmeBytesTests", "ReadmeServerTests", "ReadmeServiceTests",
]

/// The Swift blocks of a page, without their indentation.
private func blocks(of page: String) throws -> [String] {
    let root = (1...4).reduce(here) { path, _ in path.deletingLastPathComponent() }
    let text = try String(contentsOf: root.appending(path: page), encoding: .utf8)
    return text.components(separatedBy: "```swift\n").dropFirst()
        .map { $0.components(separatedBy: "```")[0] }
        .map { $0.replacingOccurrences(of: "import Tron\n\n", with: "") }
        .map { $0.replacingOccurrences(of: "import TronMetrics\n\n", with: "") }
        .map { $0.replacingOccurrences(of: "import TronTestKit\n\n", with: "") }
}

/// The lines of the files between `// snippet: NAME` and `// end`, moved to the left margin.
private func snippet(_ name: String) throws -> String {
    let folder = here.deletingLastPathComponent()
    let lines = try files.flatMap { file in
        try String(contentsOf: folder.appending(path: "\(file).swift"), encoding: .utf8)
            .components(separatedBy: "\n")
    }
    let start = try #require(lines.firstIndex { $0.hasSuffix("// snippet: \(name)") })
    let body = lines[(start + 1)...].prefix { !$0.hasSuffix("// end") }
    let indent = lines[start].prefix { $0 == " " }.count
    return body.map { String($0.dropFirst(indent)) }.joined(separator: "\n") + "\n"
}

/// The README shows a whole program with fixed addresses; the tests need free ones.
private func asInReadme(_ code: String) -> String {
    code.replacingOccurrences(of: "on: address", with: "on: \"127.0.0.1:9000\"")
        .replacingOccurrences(of: "to: address", with: "to: \"127.0.0.1:9000\"")
        .replacingOccurrences(of: "port: 0", with: "port: 9100")
        .replacingOccurrences(of: "on: other", with: "on: \"127.0.0.1:9001\"")
        .replacingOccurrences(of: "log(", with: "print(")
        .replacingOccurrences(of: "unsafe ", with: "")
}

@Suite struct ReadmeTests {
    @Test(arguments: [
        "server", "client", "request", "await", "ending", "farewell", "service", "group",
        "every core", "supervisor", "lines", "bytes", "room", "task", "proxied", "watching",
        "simulated",
    ])
    func `the README shows just the code that is run here`(_ name: String) throws {
        let code = try asInReadme(snippet(name))
        let endings = [
            "", "try reactor.run()\n", "try await service.run()\n",
            "let report = try await group.run()\n", "try await group.run()\n",
        ]
        let pages = try ["README.md", "Sources/cluster-demo/README.md"].flatMap(blocks)
        #expect(pages.contains { block in endings.contains { block == code + $0 } })
    }

    @Test func `the server, the client and the awaiting task do what the README says`() throws {
        let notes = Notes()
        let log: @Sendable (Any...) -> Void = { items in
            notes.add(items.map { "\($0)" }.joined(separator: " "))
        }
        let address = "unix:@tron-readme-\(UInt64.random(in: 0 ... .max))"
        // snippet: server
        let reactor = try Reactor()
        let server = try reactor.listen(on: address) { session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            session.onClose { session, reason in log(session.id, reason) }
        }
        // end
        try runClient(reactor, address, log, notes)
        #expect(server.counters.accepted == 1)
        #expect(notes.all.filter { $0 == "ping" }.count == 2)
        #expect(notes.all.starts(with: ["connecting", "connected"]))
        #expect(notes.all.last?.hasSuffix(" the reactor stopped") == true)
    }

    private func runClient(
        _ reactor: Reactor, _ address: String, _ log: @escaping @Sendable (Any...) -> Void,
        _ notes: Notes
    ) throws {
        // snippet: client
        let client = reactor.makeClient(
            to: address,
            reconnecting: Backoff(initial: .seconds(3), multiplier: 2, attempts: 8)
        ) { session in
            session.onPacket { _, packet in log("unasked for:", packet.text) }
        }
        client.onStateChange { _, state in log(state) }
        // end
        // snippet: request
        client.request(category: 1, data: "ping", timeout: .seconds(3)) { outcome in
            switch outcome {
            case .answered(let packet): log(packet.text)
            case .failed(let error): log(error)
            }
        }
        // end
        // snippet: await
        Task(executorPreference: reactor.executor) {
            let answer = try await client.request(category: 1, data: "ping", timeout: .seconds(3))
            log(answer.text)
        }
        // end
        reactor.schedule(after: .milliseconds(1), repeating: .milliseconds(1)) {
            if notes.all.filter({ $0 == "ping" }).count == 2 { reactor.stop() }
        }
        reactor.schedule(after: .seconds(10)) { reactor.stop() }
        try reactor.run()
    }

    @Test func `the simulated server answers, is cut off, crashes and comes back`() throws {
        var starts = 0
        let serve = { (reactor: Reactor) throws in
            starts += 1
            try reactor.listen(on: "127.0.0.1:9000") { session in
                session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
            }
        }
        // snippet: simulated
        let network = SimulatedNetwork()
        let server = try network.reactor(named: "server") { reactor in try serve(reactor) }

        let peer = try network.connect(to: "127.0.0.1:9000", named: "mobile")
        peer.send(category: 1, data: "ping")
        try network.run(until: { peer.packets.map(\.text) == ["ping"] })

        network.partition("mobile", from: "server")
        network.advance(by: .seconds(3600))
        server.crash()
        try server.restart()
        network.heal()
        try network.finish()
        // end
        #expect(starts == 2 && network.now > .seconds(3600))
    }
}

/// What was logged, by whichever thread.
private final class Notes: Sendable {
    private let notes = Locked<[String]>([])

    var all: [String] { notes.withLock { $0 } }

    func add(_ note: String) { notes.withLock { $0.append(note) } }
}
