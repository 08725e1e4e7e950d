// Thousands of peers that send a byte now and then, or never read, and one that only works.
import Glibc
import Testing

@testable import Tron

/// Whether there are descriptors enough, once the limit is raised as far as it goes.
private let hasRoom: Bool = {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return limit.rlim_cur >= 12_000
}()

private let slowSenders = 2500
private let neverReaders = 2500
private let goodRequests = 1000

/// One of those crowds, which come one after the other: each takes half of the descriptors.
extension ClientCrowdTests {
    private static let slowOptions: ServerOptions = {
        var options = ServerOptions()
        options.limits.maximumSessions = slowSenders + neverReaders + 1
        options.session.limits.maximumDataLength = 4096
        options.session.limits.maximumQueuedBytes = 16_384
        options.session.limits.outputHighWatermark = 8192
        options.session.limits.outputLowWatermark = 2048
        options.session.limits.packetTimeout = nil
        return options
    }()

    /// What all sessions hold now, in bytes.
    private func heldBytes(_ server: Server, _ reactor: Reactor) -> Int {
        var held = reactor.registry.buffers.idleBytes
        server.forEachSession { session in
            held += session.outbound.capacity + session.inbound.keptCount
        }
        return held
    }

    @Test(.enabled(if: hasRoom, "needs 12,000 descriptors"))
    func `five thousand slow senders and never-readers do not hinder a good client`() throws {
        var limits = ReactorLimits()
        limits.maximumBytesReadPerTurn = 4096
        let place = try Neighbourhood(limits: limits)
        place.kernel.sendBuffer = 4096
        let server = try place.reactor.listen(on: Bench.unixName(), options: Self.slowOptions) {
            session in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        let packet = wire(String(repeating: "slow", count: 500))
        var senders: [Peer] = []
        var readers: [Peer] = []
        for _ in 0..<slowSenders / 50 {
            for _ in 0..<50 {
                senders.append(try Peer(to: server.address))
                readers.append(try Peer(to: server.address))
            }
            let count = senders.count + readers.count
            try place.turn(until: { server.sessionCount == count })
        }
        var (answered, failed, sent) = (0, 0, 0)
        var mostHeld = 0
        var options = ClientOptions()
        options.maximumCopiedRequests = 1
        let client = place.reactor.makeClient(to: [server.address], options: options)
        func ask() {
            client.request(category: 1, data: "work", timeout: .seconds(30)) { outcome in
                if case .answered = outcome { answered += 1 } else { failed += 1 }
                if answered + failed < goodRequests { ask() }
            }
        }
        ask()
        // Each turn some of the slow ones send a byte more, and some that never read ask for more.
        let end = ContinuousClock.now + .seconds(60)
        var round = 0
        while answered + failed < goodRequests && ContinuousClock.now < end {
            for offset in 0..<50 {
                let (next, index) = (50 * round + offset).quotientAndRemainder(
                    dividingBy: slowSenders)
                sent += max(0, senders[index].send([packet[next % packet.count]]))
                readers[index].send(packet)
            }
            try place.reactor.turn()
            if round % 50 == 0 { mostHeld = max(mostHeld, heldBytes(server, place.reactor)) }
            round += 1
        }
        print(
            "slow crowd: \(round) turns, \(sent) single bytes, at most \(mostHeld >> 10) KiB of "
                + "\(place.reactor.memoryBound >> 10) held")
        #expect(answered == goodRequests && failed == 0)
        #expect(server.sessionCount == slowSenders + neverReaders + 1)
        let paused = place.reactor.pausedSessions(of: server)
        #expect(paused > 0, "nobody was ever told to wait")
        #expect(mostHeld <= place.reactor.memoryBound)
    }
}

extension Reactor {
    /// How many sessions of a server wait for their peers to read.
    fileprivate func pausedSessions(of server: Server) -> Int {
        var count = 0
        server.forEachSession { if !$0.inbound.isReading { count += 1 } }
        return count
    }
}
