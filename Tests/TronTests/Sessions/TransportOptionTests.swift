// The options of a TCP connection, read back from the kernel at both ends.
import Glibc
import Testing

@testable import Tron

@Suite struct TransportOptionTests {
    /// What the kernel says of one connection.
    private struct Settings: Equatable {
        var noDelay = true
        var keepalive: [Int32]? = [5, 5, 3]
        var userTimeout: Int32 = 0
    }

    /// An accepted and a dialled connection with these options.
    private func descriptors(_ options: SessionOptions) throws -> (bench: Bench, both: [Int32]) {
        let kernel = FaultyKernel()
        var dialled: Int32?
        kernel.fault = { call, _, descriptor in
            if call == .connect { dialled = descriptor }
            return nil
        }
        let bench = try Bench(.ipv4, session: options, kernel: kernel)
        bench.reactor.connectOnce(to: bench.server.address, options: options) { _ in }
        try bench.reactor.turn(until: { bench.sessions.count == 1 && dialled != nil })
        return (bench, [kernel.accepted[0], try #require(dialled)])
    }

    private func option(_ level: Int32, _ name: Int32, of descriptor: Int32) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(4)
        getsockopt(descriptor, level, name, &value, &length)
        return value
    }

    private func settings(of descriptor: Int32) -> Settings {
        func tcp(_ name: Int32) -> Int32 { option(Int32(IPPROTO_TCP), name, of: descriptor) }
        let isKeptAlive = option(SOL_SOCKET, SO_KEEPALIVE, of: descriptor) != 0
        return Settings(
            noDelay: tcp(TCP_NODELAY) != 0,
            keepalive: isKeptAlive ? [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT].map(tcp) : nil,
            userTimeout: tcp(TCP_USER_TIMEOUT))
    }

    private func settings(_ change: (inout SessionOptions) -> Void) throws -> Settings {
        var options = SessionOptions()
        change(&options)
        let (bench, both) = try descriptors(options)
        let found = both.map(settings)
        #expect(found[0] == found[1], "accepted and dialled differ")
        withExtendedLifetime(bench) {}
        return found[0]
    }

    @Test func `by default small packets leave at once, and the kernel looks for dead peers`()
        throws
    {
        #expect(try settings { _ in } == Settings())
    }

    @Test func `each option is what it was set to, or off`() throws {
        let changed = try settings {
            $0.noDelay = false
            $0.keepalive = Keepalive(idle: .seconds(7), interval: .seconds(2), probes: 9)
            $0.userTimeout = .seconds(21)
        }
        #expect(changed == Settings(noDelay: false, keepalive: [7, 2, 9], userTimeout: 21_000))
        #expect(try settings { $0.keepalive = nil }.keepalive == nil)
    }

    @Test func `fractions of a second are rounded up, and large values are the kernel's largest`()
        throws
    {
        let small = try settings {
            $0.keepalive = Keepalive(idle: .milliseconds(1), interval: .milliseconds(1001))
            $0.userTimeout = .microseconds(1500)
        }
        #expect(small.keepalive == [1, 2, 3] && small.userTimeout == 2)
        let large = try settings {
            $0.keepalive = Keepalive(
                idle: .seconds(40_000), interval: .seconds(1 << 40), probes: 1000)
        }
        #expect(large.keepalive == [32_767, 32_767, 127])
        // A third of the time.
        let dead = try settings { $0.deadAfter = .seconds(200_000) }
        #expect(dead.keepalive == [32_767, 32_767, 2])
    }

    /// Within what the kernel allows at most, which it says itself (net.core.wmem_max).
    @Test func `the send buffer has the size that is asked for, and else is the kernel's`() throws {
        var options = SessionOptions()
        let (bench, usual) = try descriptors(options)
        options.sendBuffer = 20_000
        let (other, small) = try descriptors(options)
        func sizes(_ both: [Int32]) -> [Int32] {
            both.map { option(SOL_SOCKET, SO_SNDBUF, of: $0) }
        }
        #expect(sizes(small) == [40_000, 40_000])
        #expect(sizes(usual).allSatisfy { $0 > 40_000 })
        options.sendBuffer = 1 << 30
        let (third, large) = try descriptors(options)
        let most = Tool.number(in: "/proc/sys/net/core/wmem_max")
        #expect(sizes(large).allSatisfy { Int($0) == 2 * most })
        withExtendedLifetime((bench, other, third)) {}
    }
}

extension Tool {
    /// What a file of the kernel says.
    fileprivate static func number(in path: String) -> Int {
        let file = fopen(path, "r")
        defer { if let file { fclose(file) } }
        var text = [CChar](repeating: 0, count: 32)
        guard let file, fgets(&text, 32, file) != nil else { return -1 }
        return atol(text)
    }
}
