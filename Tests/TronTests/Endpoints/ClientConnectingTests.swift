// What a client makes of each failure to connect: again, the next address, or no more.
import Glibc
import Testing

@testable import Tron

@Suite struct ClientConnectingTests {
    private static let retried = [
        ECONNREFUSED, ETIMEDOUT, EADDRNOTAVAIL, EHOSTUNREACH, ENETUNREACH, ECONNRESET, EAGAIN,
        ENOENT, EADDRINUSE, EMFILE, ENFILE, ENOBUFS, ENOMEM,
    ]
    private static let final = [EACCES, EPERM, EAFNOSUPPORT, EPROTONOSUPPORT, EINVAL]

    @Test(arguments: retried) func `tries again after what may pass`(code: Int32) throws {
        for fate in [DialFate.refuses(code), .refusesLater(code)] {
            let bench = try NetworkBench()
            bench.kernel.fate = { _, number in number == 1 ? fate : .connects }
            let client = bench.connect()
            try bench.turn(until: { client.state.isConnected })
            #expect(bench.log.delays == [.seconds(3)])
        }
    }

    @Test(arguments: final) func `gives up at once on what no waiting changes`(code: Int32) throws {
        for fate in [DialFate.refuses(code), .refusesLater(code)] {
            let bench = try NetworkBench()
            bench.kernel.fate = { _, _ in fate }
            let client = bench.connect()
            try bench.turn(until: { client.state.isFinal })
            #expect(bench.log.states.count == 2 && bench.kernel.dials.count == 1)
            guard case .gaveUp(.unreachable(.refused(let error))) = client.state else {
                Issue.record("\(client.state)")
                continue
            }
            #expect(error.cause == SystemError(.connect, code: code))
            #expect(bench.kernel.sockets.isEmpty)
        }
    }

    @Test(arguments: [(EMFILE, true), (ENFILE, true), (ENOBUFS, true), (EAFNOSUPPORT, false)])
    func `judges a socket that is not to be had`(code: Int32, isRetried: Bool) throws {
        let bench = try NetworkBench()
        bench.kernel.socketFault = code
        let client = bench.connect()
        try bench.turn(until: { client.state.isWaiting || client.state.isFinal })
        #expect(client.state.isWaiting == isRetried)
        bench.kernel.socketFault = 0
        if isRetried { try bench.turn(until: { client.state.isConnected }) }
    }

    @Test(arguments: [KernelCall.epollControl, .setOption, .socketError, .localAddress])
    func `a call that fails on the way costs the attempt and no descriptor`(
        call: KernelCall
    ) throws {
        let bench = try Bench(.ipv4)
        let open = bench.kernel.openDescriptors.count
        let client = bench.reactor.makeClient(to: [bench.server.address])
        bench.kernel.fault = { made, _, _ in made == call ? .error(ENOMEM) : nil }
        try bench.reactor.turn(until: { client.state.isWaiting })
        bench.kernel.fault = { _, _, _ in nil }
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 3)
        #expect(bench.kernel.openDescriptors.count == open)
        bench.kernel.isFrozen = false
        try bench.reactor.turn(until: { client.state.isConnected })
    }

    @Test func `an attempt that is not decided ends at its time`() throws {
        let bench = try NetworkBench()
        bench.kernel.fate = { _, _ in .hangs }
        var options = ClientOptions()
        options.connectTimeout = .seconds(7)
        let client = bench.connect(options: options)
        try bench.turn(until: { client.state.isWaiting })
        #expect((7...7.002).contains(bench.log.times[1] - bench.log.times[0]))
        #expect(bench.kernel.sockets.isEmpty)
    }

    @Test func `addresses are tried in turn, each with its own time`() throws {
        let bench = try NetworkBench()
        let ports: [UInt16] = [1, 2, 3, 4]
        bench.kernel.fate = { address, _ in
            switch address.port {
            case 1: .refuses(ECONNREFUSED)
            case 2: .hangs
            case 3: .refusesLater(EHOSTUNREACH)
            default: .connects
            }
        }
        let client = bench.note(bench.reactor.makeClient(to: ports.map { .loopback(port: $0) }))
        try bench.turn(until: { client.state.isConnected })
        #expect(bench.kernel.dials.map(\.address.port) == ports)
        #expect(bench.log.states == [.connecting, .connected])
        #expect((10...10.01).contains(bench.log.times[1] - bench.log.times[0]))
        client.session?.abort()
        try bench.turn(until: { client.counters.connections == 2 })
        #expect(bench.kernel.dials.map(\.address.port) == ports + ports, "from the first again")
    }

    @Test func `a client that is given others tries those from its next attempt on`()
        throws
    {
        let bench = try NetworkBench()
        bench.kernel.fate = { address, _ in address.port == 2 ? .refuses(ECONNREFUSED) : .connects }
        let client = bench.note(bench.reactor.makeClient(to: [.loopback(port: 1)]))
        try bench.turn(until: { client.state.isConnected })
        client.setAddresses([.loopback(port: 2), .loopback(port: 3)])
        try bench.reactor.turn()
        #expect(client.state.isConnected && bench.kernel.dials.count == 1)
        client.session?.abort()
        try bench.turn(until: { client.counters.connections == 2 })
        #expect(bench.kernel.dials.map(\.address.port) == [1, 2, 3])
        // While it waits, too; and a client by name gives the name up.
        let waiting = bench.reactor.makeClient(to: [.loopback(port: 2)])
        try bench.turn(until: { waiting.state.isWaiting })
        waiting.setAddresses([.loopback(port: 4)])
        try bench.turn(until: { waiting.state.isConnected })
        #expect(waiting.session?.remoteAddress == .loopback(port: 4))
    }

    @Test func `gives up only when no address is worth another attempt`() throws {
        for ports: [UInt16] in [[1, 2], [2, 1]] {
            let bench = try NetworkBench()
            bench.kernel.fate = { address, _ in
                .refuses(address.port == 1 ? EAFNOSUPPORT : ECONNREFUSED)
            }
            let client = bench.reactor.makeClient(to: ports.map { .loopback(port: $0) })
            try bench.turn(until: { client.state != .connecting })
            #expect(client.state.isWaiting)
        }
    }

    @Test func `a socket that was connected to itself is not taken for a connection`() throws {
        let bench = try NetworkBench()
        bench.kernel.fate = { _, number in number == 1 ? .connectsToItself : .connects }
        var setups = 0
        let client = bench.connect(to: "127.0.0.1:40000") { _ in setups += 1 }
        try bench.turn(until: { client.state.isWaiting })
        #expect(setups == 0 && client.counters.connections == 0 && bench.kernel.sockets.isEmpty)
        try bench.turn(until: { client.state.isConnected })
    }

    @Test(arguments: ["", "127.0.0.1", "127.0.0.1:99999", "[::1", "host:", "host:port", ":1"])
    func `an address that is none is told as a state`(text: String) throws {
        let bench = try NetworkBench()
        let client = bench.connect(to: text)
        #expect(client.state == .connecting)
        try bench.turn(until: { client.state.isFinal })
        guard case .gaveUp(.invalidAddress) = client.state else {
            Issue.record("\(text): \(client.state)")
            return
        }
        #expect(bench.log.states.count == 2 && bench.kernel.dials.isEmpty)
    }

    @Test func `a Unix socket that appears later is found`() throws {
        let kernel = FaultyKernel()
        let reactor = try Reactor(kernel: kernel)
        let path = "/tmp/tron-late-\(getpid()).sock"
        let client = reactor.makeClient(
            to: "unix:\(path)", reconnecting: Backoff(initial: .seconds(1), multiplier: 1))
        try reactor.turn(until: { client.counters.dials == 3 })
        #expect(client.state.isWaiting)
        let server = try reactor.listen(on: "unix:\(path)") { _ in }
        try reactor.turn(until: { client.state.isConnected && server.sessionCount == 1 })
        server.stop(sessions: .abort)
        try reactor.turn(until: { client.state.isWaiting })
    }
}
