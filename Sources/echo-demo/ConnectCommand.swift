// `echo-demo connect`: a client that sends the lines of standard input and prints the answers.
import Tron

/// Connects, and returns the exit status once every line is answered or something failed.
func connect(to address: SocketAddress, _ timeout: Duration) throws -> Int32 {
    let reactor = try Reactor()
    let client = LineClient(reactor, timeout)
    var options = SessionOptions()
    // With nothing read while much waits to be sent, two such ends could wait for each other.
    options.pausesReadingAboveHighWatermark = false
    reactor.dial(address, timeout: timeout, options: options) { result in
        switch result {
        case .success(let session): client.begin(session, options.limits)
        case .failure(let error): client.fail("\(error)")
        }
    }
    try reactor.run()
    return client.status
}

/// Pairs lines with their answers. It belongs to the loop's thread, as the session does.
///
/// Invariant: the reading thread waits for `demand` exactly while `isReaderWaiting`, and the timer
/// runs exactly while lines are unanswered.
private final class LineClient {
    private let reactor: Reactor
    private let timeout: Duration
    private let demand = Semaphore()
    private var session: Session?
    private var unanswered: Set<Int32> = []
    private var nextSequence: Int32 = 0
    private var timer: ScheduledTimer?
    private var isReaderWaiting = true
    private var inputHasEnded = false
    private(set) var status = ExitStatus.success

    /// With as many lines unanswered, no more are read.
    private static let window = 1024

    init(_ reactor: Reactor, _ timeout: Duration) {
        self.reactor = reactor
        self.timeout = timeout
    }

    func begin(_ session: Session, _ limits: SessionLimits) {
        self.session = session
        session.onPacket { _, packet in self.receive(packet) }
        session.onClose { _, reason in self.ended(reason) }
        // The reading thread only carries the client: what it delivers, it delivers on the loop.
        nonisolated(unsafe) let client = self
        let reader = LineReader(
            loop: reactor.remote, demand: demand, maximumLength: limits.dataLength
        ) { input in
            unsafe client.take(input)
        }
        guard reader.start() else { return fail("no thread to read standard input") }
        readOn()
    }

    /// The first failure counts.
    func fail(_ reason: String) {
        guard status == ExitStatus.success else { return }
        status = ExitStatus.failure
        Terminal.complain(reason)
        reactor.stop()
    }
}

// MARK: - Lines out

extension LineClient {
    private func take(_ input: Input) {
        isReaderWaiting = true
        switch input {
        case .lines(let lines):
            lines.forEach(send)
            readOn()
        case .end:
            inputHasEnded = true
            closeWhenDone()
        case .failed: fail("standard input cannot be read")
        }
    }

    private func send(_ line: [UInt8]) {
        guard let session, session.isOpen else { return }
        let outcome = session.send(sequence: nextSequence, category: 1, data: line)
        guard outcome.isQueued else {
            return fail("a line of \(line.count) bytes or more was not sent: \(outcome)")
        }
        unanswered.insert(nextSequence)
        nextSequence = (nextSequence &+ 1) & .max
        if timer == nil { awaitAnswer() }
    }

    private func readOn() {
        guard isReaderWaiting, unanswered.count < Self.window, session?.isWritable == true else {
            return
        }
        isReaderWaiting = false
        demand.signal()
    }
}

// MARK: - Answers in

extension LineClient {
    private func receive(_ packet: borrowing Packet) {
        // Packets that answer nothing of ours are none of our business.
        guard unanswered.remove(packet.sequence) != nil else { return }
        let line = packet.copy().data + [UInt8(ascii: "\n")]
        guard Platform.write(line, to: Platform.standardOutput) else {
            return fail("standard output cannot be written")
        }
        awaitAnswer()
        readOn()
        closeWhenDone()
    }

    /// Sets the clock for the next answer, if there is one to come.
    private func awaitAnswer() {
        timer?.cancel()
        timer = nil
        guard !unanswered.isEmpty else { return }
        timer = reactor.schedule(after: timeout) {
            self.fail("\(self.peer): no answer for \(self.timeout)")
        }
    }

    private func closeWhenDone() {
        if inputHasEnded && unanswered.isEmpty { session?.close() }
    }

    private func ended(_ reason: CloseReason) {
        if inputHasEnded && unanswered.isEmpty { return reactor.stop() }
        fail("\(peer): connection lost: \(reason)")
    }

    private var peer: String { session?.remoteAddress?.description ?? "the server" }
}
