// `echo-demo connect`: a client that asks with the lines of standard input, and comes back.
import Tron

/// Connects, and returns the exit status once every line is answered or something failed for good.
func connect(_ settings: ConnectSettings) throws -> Int32 {
    let reactor = try Reactor()
    var options = ClientOptions()
    options.connectTimeout = settings.timeout
    // A line without an answer ends the program; there is nothing to connect again for.
    options.timeoutsBeforeReconnect = nil
    // All that is asked may be asked again, and so has to wait for the next connection.
    options.maximumCopiedRequests = options.maximumPendingRequests
    let client = reactor.makeClient(
        to: settings.address, reconnecting: settings.backoff, options: options)
    let lines = LineClient(reactor, client, settings)
    client.onStateChange { _, state in lines.react(to: state) }
    try reactor.run()
    return lines.status
}

/// Asks with each line, and prints the answers in the lines' order. It belongs to the loop's
/// thread, as the client does.
///
/// Invariant: the reading thread waits for `demand`, or is not started, exactly while
/// `isReaderWaiting`; lines that are taken and not printed have the numbers from `printed` up to
/// `taken`, and those of them that are answered are in `answers`.
private final class LineClient {
    private let reactor: Reactor
    private let client: Client
    private let settings: ConnectSettings
    private let demand = Semaphore()
    private var hasReader = false
    private var isReaderWaiting = true
    private var inputHasEnded = false
    private var taken = 0
    private var printed = 0
    private var answers: [Int: [UInt8]] = [:]
    private var bytesUnanswered = 0
    private var patience: Patience
    private(set) var status = ExitStatus.success

    /// With as many lines or bytes on their way, no more are read.
    private static let window = (lines: 1024, bytes: 512 << 10)

    init(_ reactor: Reactor, _ client: Client, _ settings: ConnectSettings) {
        self.reactor = reactor
        self.client = client
        self.settings = settings
        patience = Patience(limit: settings.timeout, from: .now)
    }

    func react(to state: ClientState) {
        guard status == ExitStatus.success else { return }
        switch state {
        case .gaveUp: fail(state.line)
        case .connecting, .connected, .waiting, .closed: Terminal.note(state.line)
        }
        if state == .closed { reactor.stop() }
        guard state == .connected else { return }
        patience.beginAnew(at: .now)
        readOn()
    }

    /// The first failure counts.
    private func fail(_ reason: String) {
        guard status == ExitStatus.success else { return }
        status = ExitStatus.failure
        Terminal.complain(reason)
        reactor.stop()
    }
}

// MARK: - Lines in

extension LineClient {
    /// Without a connection nothing is read: what is not read needs no memory.
    private func readOn() {
        guard isReaderWaiting, client.session != nil, taken - printed < Self.window.lines,
            bytesUnanswered < Self.window.bytes
        else { return }
        if !hasReader { startReader() }
        isReaderWaiting = false
        demand.signal()
    }

    private func startReader() {
        hasReader = true
        // The reading thread only carries these lines: what it delivers, it delivers on the loop.
        nonisolated(unsafe) let lines = self
        let reader = LineReader(
            loop: reactor.remote, demand: demand,
            maximumLength: ClientOptions().session.limits.maximumDataLength
        ) { input in
            unsafe lines.take(input)
        }
        if !reader.start() { fail("no thread to read standard input") }
    }

    private func take(_ input: Input) {
        isReaderWaiting = true
        switch input {
        case .lines(let lines):
            for line in lines {
                bytesUnanswered += line.count
                ask(taken, line)
                taken += 1
            }
            readOn()
        case .end:
            inputHasEnded = true
            closeWhenDone()
        case .failed: fail("standard input cannot be read")
        }
    }

    /// An echo may be asked for twice, so a line outlives the connection that carried it.
    private func ask(_ number: Int, _ line: [UInt8]) {
        client.request(
            category: 1, data: unsafe line.span.bytes, timeout: settings.timeout,
            isRepeatable: true
        ) { outcome in
            switch outcome {
            case .answered(let packet): self.answer(number, line, packet.copy().data)
            case .failed(let error): self.settle(error, number, line)
            }
        }
    }
}

// MARK: - Answers out

extension LineClient {
    private func answer(_ number: Int, _ line: [UInt8], _ data: [UInt8]) {
        bytesUnanswered -= line.count
        answers[number] = data
        while let next = answers.removeValue(forKey: printed) {
            guard Platform.write(next + [UInt8(ascii: "\n")], to: Platform.standardOutput) else {
                return fail("standard output cannot be written")
            }
            printed += 1
            patience.beginAnew(at: .now)
        }
        readOn()
        closeWhenDone()
    }

    private func settle(_ error: RequestError, _ number: Int, _ line: [UInt8]) {
        switch error {
        // The client's last state tells why.
        case .notConnected, .closed: break
        case .timedOut: settleTimeout(number, line)
        case .tooLarge: fail("a line of \(line.count) bytes or more was not sent: \(error)")
        case .connectionLost, .tooManyPending, .overflow, .cancelled:
            fail("\(peer): line \(number + 1): \(error)")
        }
    }

    private func settleTimeout(_ number: Int, _ line: [UInt8]) {
        guard patience.isOver(at: .now, isConnected: client.session != nil) else {
            return ask(number, line)
        }
        fail("\(peer): no answer for \(settings.timeout)")
    }

    private func closeWhenDone() {
        if inputHasEnded && printed == taken { client.close() }
    }

    private var peer: String {
        client.session?.remoteAddress?.description ?? settings.address
    }
}
