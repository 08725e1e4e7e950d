// Peers of a relay: what each asks is a function of its number and its sequence, so that every
// outcome can be checked, and each is counted.
import Glibc
import Tron

/// Asks through several sessions. An outcome is an answer, which is the request's own category and
/// data, or a category of 255 with a reason; those of a session have to come in the order of its
/// requests, each once.
final class RelayLoad {
    struct Settings {
        var peers = 8
        /// Requests of each.
        var requests = 1000
        /// Outcomes that a peer lets be missing before it asks on.
        var window = 32
        var maximumDataLength = 1000
        /// Whether lengths are of all magnitudes, or all as long as may be.
        var variesLength = true
        var seed: UInt64 = 1
    }

    /// One session, and what it knows.
    final class Peer {
        let number: Int
        fileprivate(set) var session: Session?
        fileprivate(set) var asked = 0
        fileprivate(set) var answered = 0
        /// How often each reason was told.
        fileprivate(set) var told: [UInt8: Int] = [:]
        /// Requests with an outcome.
        fileprivate(set) var concluded = 0

        fileprivate init(_ number: Int) { self.number = number }
    }

    let peers: [Peer]
    private let reactor: Reactor
    private let address: SocketAddress
    private let settings: Settings
    private let pattern: [UInt8]
    /// The first thing that was wrong.
    private(set) var problem: String?
    private(set) var isEnding = false
    private var open = 0
    private var onOutcome: (RelayLoad) -> Void = { _ in }

    var asked: Int { peers.reduce(0) { $0 + $1.asked } }
    var answered: Int { peers.reduce(0) { $0 + $1.answered } }
    var concluded: Int { peers.reduce(0) { $0 + $1.concluded } }
    var told: [UInt8: Int] {
        peers.reduce(into: [:]) { $0.merge($1.told) { $0 + $1 } }
    }

    /// The category of what is no answer.
    static let failure: UInt8 = 255
    /// What every request's data begins with: whose it is.
    private static let nameLength = 8

    init(to address: SocketAddress, on reactor: Reactor, _ settings: Settings) {
        self.address = address
        self.reactor = reactor
        self.settings = settings
        peers = (0..<settings.peers).map { Peer($0) }
        pattern = (0..<settings.maximumDataLength + 4096).map { index in
            UInt8(truncatingIfNeeded: Self.mixed(settings.seed &+ UInt64(index)))
        }
    }

    /// Connects all, and has them ask. The handler is called after every outcome.
    func begin(onOutcome: @escaping (RelayLoad) -> Void) {
        self.onOutcome = onOutcome
        for peer in peers {
            open += 1
            reactor.connectOnce(to: address) { [self] result in
                switch result {
                case .success(let session): begin(peer, session)
                case .failure(let error): fail("peer \(peer.number): \(error)")
                }
            }
        }
    }

    /// From now on the sessions may end. The reactor stops with the last of them.
    func expectEnd() { isEnding = true }

    /// Ends the sessions.
    func end() {
        expectEnd()
        for peer in peers { peer.session?.close() }
    }

    func fail(_ what: String) {
        problem = problem ?? what
        stop()
    }

    /// The handler may hold this load, and what its user wants to be rid of.
    private func stop() {
        onOutcome = { _ in }
        reactor.stop()
    }
}

// MARK: - A peer

extension RelayLoad {
    private func begin(_ peer: Peer, _ session: Session) {
        peer.session = session
        session.onPacket { [self] _, packet in
            receive(packet, peer)
            ask(peer)
            onOutcome(self)
        }
        session.onClose { [self] _, reason in
            if !isEnding { fail("peer \(peer.number): \(reason)") }
            open -= 1
            if open == 0 { stop() }
        }
        ask(peer)
    }

    private func ask(_ peer: Peer) {
        guard let session = peer.session else { return }
        while peer.asked < settings.requests, peer.asked - peer.concluded < settings.window,
            session.isOpen
        {
            let (name, category, range) = request(peer.asked, of: peer)
            let pattern = pattern
            let outcome = session.send(
                sequence: Int32(peer.asked), category: category,
                capacity: Self.nameLength + range.count
            ) { output in
                output.writeInteger(name)
                output.write(pattern.span.bytes.extracting(range))
            }
            if outcome != .queued { return fail("peer \(peer.number): \(outcome)") }
            peer.asked += 1
        }
    }

    private func receive(_ packet: borrowing Packet, _ peer: Peer) {
        let sequence = peer.concluded
        guard packet.sequence == sequence, sequence < peer.asked else {
            return fail("peer \(peer.number): \(packet.sequence) in the place of \(sequence)")
        }
        peer.concluded += 1
        if packet.category == Self.failure, packet.data.byteCount == 1 {
            peer.told[packet.data.copy()[0], default: 0] += 1
            return
        }
        let (name, category, range) = request(sequence, of: peer)
        let pattern = pattern
        let expected = pattern.span.bytes.extracting(range)
        var input = ByteReader(packet.data)
        guard packet.category == category, (try? input.readInteger(as: UInt64.self)) == name,
            Self.areEqual(input.remaining, expected)
        else { return fail("peer \(peer.number): a wrong answer to \(sequence)") }
        peer.answered += 1
    }

    /// Sizes of all magnitudes, at random places of the pattern.
    private func request(
        _ sequence: Int, of peer: Peer
    ) -> (name: UInt64, category: UInt8, range: Range<Int>) {
        let name = UInt64(peer.number) << 32 | UInt64(sequence)
        let random = Self.mixed(name ^ settings.seed)
        let most = UInt64(settings.maximumDataLength - Self.nameLength + 1)
        let length =
            settings.variesLength
            ? Int((random >> 16) % most) >> Int(random >> 8 & 7) : Int(most) - 1
        let start = Int(random >> 48) % (pattern.count - length)
        return (name, UInt8(random & 0x7f), start..<start + length)
    }

    /// With memcmp, which is as fast in a debug build.
    private static func areEqual(_ one: RawSpan, _ other: RawSpan) -> Bool {
        one.withUnsafeBytes { one in
            other.withUnsafeBytes { other in
                one.count == other.count
                    && (one.isEmpty || memcmp(one.baseAddress!, other.baseAddress!, one.count) == 0)
            }
        }
    }

    /// The finaliser of SplitMix64.
    private static func mixed(_ number: UInt64) -> UInt64 {
        var mixed = number &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }
}
