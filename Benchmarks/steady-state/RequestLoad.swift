// A load of requests: one client with so many in flight, by completions or by await.
import Tron

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Asks, checks each answer, asks again until all have been asked, and stops the reactor.
///
/// As with `Load`, a run of 3n requests does just what one of n does, but for 2n more.
/// Everything here happens on the reactor's thread: its own, or that of tasks on its executor.
final class RequestLoad: @unchecked Sendable {
    private let reactor: Reactor
    private let client: Client
    private let options: LoadOptions
    private let data: [UInt8]
    private var unasked: Int
    private var answered = 0
    private var switchesBefore = 0
    private(set) var contextSwitches = 0
    private(set) var failure: String?

    init(_ options: LoadOptions, reactor: Reactor) throws {
        self.options = options
        self.reactor = reactor
        data = [UInt8](repeating: 0x0d, count: options.size)
        unasked = options.packets
        let port = try reactor.serveEchoes()
        client = reactor.makeClient(to: [.loopback(port: port)])
    }

    /// Returns how many requests were answered. The switches are those while they were.
    func run() throws -> Int {
        client.onStateChange { [self] _, state in
            switch state {
            case .connected: begin()
            case .connecting, .closed: break
            case .waiting, .gaveUp: fail("\(state)")
            }
        }
        try reactor.run()
        return answered
    }

    private func begin() {
        switchesBefore = Self.switches
        switch options.kind {
        case .packets, .requests, .room, .loop:
            // Made once: a closure of its own for each request would be an allocation of the
            // load's, not of the library's. It holds this until all are answered.
            completion = { [self] in ended($0) }
            for _ in 0..<options.window { ask() }
        case .awaited:
            for _ in 0..<options.window {
                Task(executorPreference: reactor.executor) { [self] in await askInTurn() }
            }
        }
    }

    private var completion: (borrowing RequestOutcome) -> Void = { _ in }

    private func ask() {
        guard unasked > 0 else { return }
        unasked -= 1
        let data = data
        unsafe client.request(
            category: 1, data: data.span.bytes, timeout: .seconds(30), completion)
    }

    private func ended(_ outcome: borrowing RequestOutcome) {
        switch outcome {
        case .answered(let packet): note(packet.data.byteCount)
        case .failed(let error): fail("\(error)")
        }
        ask()
    }

    private func askInTurn() async {
        while unasked > 0 {
            unasked -= 1
            do {
                let answer = try await client.request(
                    category: 1, data: data, timeout: .seconds(30))
                note(answer.data.count)
            } catch {
                return fail("\(error)")
            }
        }
    }

    private func note(_ size: Int) {
        if size != options.size { fail("an answer of another size") }
        answered += 1
        guard answered == options.packets else { return }
        completion = { _ in }
        contextSwitches = Self.switches - switchesBefore
        reactor.stop()
    }

    private func fail(_ reason: String) {
        guard answered < options.packets else { return }
        failure = failure ?? reason
        reactor.stop()
    }

    /// RUSAGE_SELF, which the C libraries give different types.
    private static let thisProcess: Int32 = 0

    /// Those that this process made of itself, by waiting.
    private static var switches: Int {
        var usage = rusage()
        unsafe getrusage(Self.thisProcess, &usage)
        return usage.ru_nvcsw
    }
}
