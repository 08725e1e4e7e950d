// Listeners that another process made: what the environment may say, and what becomes of each.
import Glibc
import Synchronization
import Testing

@testable import Tron

/// A listening socket as a supervisor makes it: blocking, and open across exec(2).
final class Foreign {
    private static let copies = Atomic<Int32>(0)
    let number: Int32
    let address: SocketAddress

    init(_ address: SocketAddress, listens: Bool = true, type: __socket_type = SOCK_STREAM) {
        number = socket(address.family, Int32(type.rawValue), 0)
        let number = number
        _ = address.withRawAddress { raw, length in
            bind(number, raw.assumingMemoryBound(to: sockaddr.self), length)
        }
        if listens { listen(number, 16) }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        self.address = withUnsafeMutableBytes(of: &storage) { bytes in
            let raw = bytes.baseAddress!
            getsockname(number, raw.assumingMemoryBound(to: sockaddr.self), &length)
            return SocketAddress(raw: raw, length: length) ?? address
        }
    }

    /// A copy, as the process has it that they are handed over to.
    /// Its number is one of the highest there may be, and another each time: the kernel gives
    /// others the lowest that is free, so that no other test has this one when it has been closed.
    var copy: Int32 {
        let count = Self.copies.wrappingAdd(1, ordering: .relaxed).newValue
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let highest = Int32(clamping: min(limit.rlim_cur, 1 << 20))
        return fcntl(number, F_DUPFD_CLOEXEC, max(100, highest - count))
    }

    deinit { close(number) }
}

@Suite struct InheritedListenersTests {
    private func isOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) >= 0 }

    private func handedOver(_ variables: [String: String], to process: Int32) throws -> [String] {
        let (named, fault) = try ListenVariables { variables[$0] }.handedOver(to: process)
        if let fault { throw fault }
        return named.map { "\($0.name) \($0.number)" }
    }

    @Test func `the variables name descriptors from three on`() throws {
        let named = [
            "LISTEN_PID": "7", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "echo::metrics",
        ]
        #expect(try handedOver(named, to: 7) == ["echo 3", " 4", "metrics 5"])
        #expect(
            try handedOver(["LISTEN_PID": "7", "LISTEN_FDS": "2"], to: 7) == [
                "unknown 3", "unknown 4",
            ])
    }

    @Test func `what is meant for another process, or is nothing, is nothing`() throws {
        #expect(try handedOver([:], to: 7) == [])
        #expect(try handedOver(["LISTEN_FDS": "2"], to: 7) == [])
        #expect(try handedOver(["LISTEN_PID": "8", "LISTEN_FDS": "2"], to: 7) == [])
        #expect(try handedOver(["LISTEN_PID": "7", "LISTEN_FDS": "0"], to: 7) == [])
    }

    @Test(arguments: [
        ("LISTEN_PID", "x"), ("LISTEN_PID", ""), ("LISTEN_PID", "-7"), ("LISTEN_FDS", "1.5"),
        ("LISTEN_FDS", "99999999999999999999"), ("LISTEN_FDS", "65537"),
        ("LISTEN_FDNAMES", "one"), ("LISTEN_FDNAMES", "one:two:three"),
    ])
    func `malformed variables are told`(variable: String, text: String) {
        var variables = ["LISTEN_PID": "7", "LISTEN_FDS": "2"]
        variables[variable] = text
        #expect(throws: SupervisorError.malformed(variable: variable, text: text)) {
            try handedOver(variables, to: 7)
        }
    }

    @Test func `a claimed listener serves, nonblocking, and is closed with its server alone`()
        throws
    {
        let foreign = Foreign(.loopback(port: 0))
        let copy = foreign.copy
        // Not on a kernel of the tests', which knows only descriptors of its own.
        let inherited = try InheritedListeners([("echo", copy)], kernel: Kernel())
        #expect(inherited.names == ["echo"])
        let reactor = try Reactor()
        let listener = try inherited.claim("echo")
        #expect(listener.address == foreign.address)
        var accepted = 0
        let server = try reactor.listen(on: listener) { _ in accepted += 1 }
        #expect(server.address == foreign.address)
        #expect(fcntl(copy, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(copy, F_GETFD) & FD_CLOEXEC != 0)
        let peer = try Peer(to: foreign.address)
        try reactor.turn(until: { accepted == 1 })
        server.stop()
        #expect(!isOpen(copy))
        // The other process's is still there: connections wait in it.
        let late = try Peer(to: foreign.address)
        #expect(!late.drained.isAtEnd && late.error == 0)
        peer.close()
    }

    @Test func `what nobody claims is closed, and each is claimed once`() throws {
        let foreign = Foreign(.loopback(port: 0))
        let copies = [foreign.copy, foreign.copy, foreign.copy]
        var inherited: InheritedListeners? = try InheritedListeners(
            [("a", copies[0]), ("b", copies[1]), ("a", copies[2])], kernel: Kernel())
        do { _ = try #require(inherited).claim("a") }
        #expect(copies.map(isOpen) == [false, true, true])
        #expect(inherited?.names == ["b", "a"])
        do { _ = try #require(inherited).claim("a") }
        #expect(throws: SupervisorError.noListener(named: "a")) {
            _ = try #require(inherited).claim("a")
        }
        inherited = nil
        #expect(copies.map(isOpen) == [false, false, false])
    }

    @Test func `what is no listening stream socket is refused and left alone`() throws {
        let foreign = Foreign(.loopback(port: 0))
        let silent = Foreign(.loopback(port: 0), listens: false)
        let datagram = Foreign(.loopback(port: 0), listens: false, type: SOCK_DGRAM)
        let file = open("/dev/null", O_RDONLY)
        let cases: [(Int32, Int32)] = [
            (silent.copy, EINVAL), (datagram.copy, ESOCKTNOSUPPORT), (file, ENOTSOCK),
            (9999, EBADF),
        ]
        for (number, code) in cases {
            let (before, behind) = (foreign.copy, foreign.copy)
            #expect(
                throws: SupervisorError.notAListener(
                    descriptor: number, SystemError(.getsockopt, code: code))
            ) {
                _ = try InheritedListeners(
                    [("a", before), ("b", number), ("c", behind)], kernel: Kernel())
            }
            #expect(!isOpen(before) && !isOpen(behind))
            // It may be somebody else's.
            #expect(isOpen(number) == (code != EBADF))
            close(number)
        }
    }

    @Test func `listeners whose names are malformed are closed, too`() throws {
        let foreign = Foreign(.loopback(port: 0))
        let copies = [foreign.copy, foreign.copy]
        let variables = ["LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b:c"]
        let (named, fault) = try ListenVariables { variables[$0] }.handedOver(to: 7)
        #expect(named.map(\.number) == [3, 4])
        let malformed = SupervisorError.malformed(variable: "LISTEN_FDNAMES", text: "a:b:c")
        #expect(fault == malformed)
        #expect(throws: malformed) {
            _ = try InheritedListeners(copies.map { ("unknown", $0) }, fault, kernel: Kernel())
        }
        #expect(copies.map(isOpen) == [false, false])
    }

    @Test func `when the kernel refuses an option, the call is told and the socket is closed`()
        throws
    {
        let reactor = try Reactor()
        let foreign = Foreign(.loopback(port: 0))
        let copy = foreign.copy
        let kernel = FaultyKernel()
        kernel.fault = { call, _, _ in call == .setOption ? .error(ENOMEM) : nil }
        let inherited = try InheritedListeners([("a", copy)], kernel: Kernel(kernel))
        let error = #expect(throws: EndpointError.self) {
            try reactor.listen(on: inherited.claim("a")) { _ in }
        }
        let cause = SystemError(.setsockopt, code: ENOMEM)
        #expect(error == EndpointError(address: foreign.address, cause: cause))
        #expect(!isOpen(copy))
    }

    @Test func `the file of an inherited Unix socket is not removed`() throws {
        let path = "/tmp/tron-inherited-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        defer { unlink(path) }
        let foreign = Foreign(.unix(try UnixPath(path)))
        let inherited = try InheritedListeners([("a", foreign.copy)], kernel: Kernel())
        let reactor = try Reactor()
        let server = try reactor.listen(on: inherited.claim("a")) { _ in }
        server.stop()
        #expect(access(path, F_OK) == 0)
    }
}
