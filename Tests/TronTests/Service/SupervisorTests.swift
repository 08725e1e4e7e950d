// What a supervisor is told, in datagrams as sd_notify(3) has them, and when.
import Glibc
import Testing

@testable import Tron

/// A supervisor's socket, which reads what it is told.
final class NotifySocket {
    let name = "@tron-notify-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    private let number = socket(
        AF_UNIX,
        Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)

    init() throws {
        let number = number
        _ = SocketAddress.unix(try UnixPath(name)).withRawAddress { raw, length in
            bind(number, raw.assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    deinit { close(number) }

    /// All datagrams since the last call.
    var datagrams: [String] {
        var texts: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(number, &buffer, buffer.count, 0), count >= 0 {
            texts.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
        return texts
    }

    func supervisor(_ more: [String: String] = [:], kernel: Kernel = Kernel()) throws -> Supervisor
    {
        let variables = more.merging(["NOTIFY_SOCKET": name]) { _, new in new }
        return try #require(try Supervisor(process: 7, kernel: kernel) { variables[$0] })
    }
}

@Suite struct SupervisorTests {
    @Test func `each message is one datagram of lines`() throws {
        let socket = try NotifySocket()
        let bench = try Bench()
        let supervisor = try socket.supervisor(kernel: Kernel(bench.kernel))
        try supervisor.ready()
        try supervisor.stopping(within: .milliseconds(1500))
        try supervisor.status("two\nlines")
        try supervisor.alive()
        let now = bench.kernel.now() / 1000
        try supervisor.reloading()
        #expect(
            socket.datagrams == [
                "READY=1", "STOPPING=1\nEXTEND_TIMEOUT_USEC=1500000", "STATUS=two lines",
                "WATCHDOG=1", "RELOADING=1\nMONOTONIC_USEC=\(now)",
            ])
    }

    @Test func `without the variable there is no supervisor`() throws {
        #expect(try Supervisor(process: 7, kernel: Kernel()) { _ in nil } == nil)
    }

    @Test(arguments: ["", "relative", "unix:/run/x", "@", "/" + String(repeating: "x", count: 108)])
    func `a socket's name that is none is told`(path: String) {
        #expect(throws: SupervisorError.malformed(variable: "NOTIFY_SOCKET", text: path)) {
            _ = try Supervisor(process: 7, kernel: Kernel()) { $0 == "NOTIFY_SOCKET" ? path : nil }
        }
    }

    @Test func `the watchdog counts for the process that it names`() throws {
        let socket = try NotifySocket()
        func watchdog(_ variables: [String: String]) throws -> Duration? {
            try socket.supervisor(variables).watchdog
        }
        #expect(try watchdog([:]) == nil)
        #expect(try watchdog(["WATCHDOG_USEC": "3000000"]) == .seconds(3))
        #expect(try watchdog(["WATCHDOG_USEC": "0"]) == nil)
        #expect(try watchdog(["WATCHDOG_USEC": "9", "WATCHDOG_PID": "7"]) == .microseconds(9))
        #expect(try watchdog(["WATCHDOG_USEC": "9", "WATCHDOG_PID": "8"]) == nil)
        #expect(throws: SupervisorError.malformed(variable: "WATCHDOG_USEC", text: "1s")) {
            try watchdog(["WATCHDOG_USEC": "1s"])
        }
    }

    /// Its socket takes some datagrams, and then none: the call says so and does not wait.
    @Test func `a supervisor that does not read makes nobody wait`() throws {
        let socket = try NotifySocket()
        let supervisor = try socket.supervisor()
        var sent = 0
        let error = #expect(throws: SystemError.self) {
            while sent < 100_000 {
                try supervisor.alive()
                sent += 1
            }
        }
        #expect(error == SystemError(.sendto, code: EAGAIN) && sent > 0)
        #expect(socket.datagrams.count == sent)
        try supervisor.alive()
    }

    @Test func `a supervisor that is gone is an error, and an event of a reactor`() throws {
        var socket: NotifySocket? = try NotifySocket()
        let supervisor = try #require(try socket?.supervisor())
        socket = nil
        let gone = SystemError(.sendto, code: ECONNREFUSED)
        #expect(throws: gone) { try supervisor.ready() }
        let bench = try Bench()
        var errors: [SystemError] = []
        bench.reactor.onEvent { event in
            if case .supervisorNotTold(let error) = event { errors.append(error) }
        }
        bench.reactor.report(to: supervisor)
        try bench.reactor.turn(times: 3)
        #expect(errors == [gone])
    }

    @Test func `a reactor is ready from its first turn, then stopping, each told once`() throws {
        let socket = try NotifySocket()
        let bench = try Bench()
        bench.reactor.report(to: try socket.supervisor())
        #expect(socket.datagrams == [])
        try bench.reactor.turn(times: 3)
        #expect(socket.datagrams == ["READY=1"])
        bench.reactor.drain(within: .seconds(8), notice: .seconds(1))
        bench.reactor.drain(within: .seconds(8))
        #expect(socket.datagrams == ["STOPPING=1\nEXTEND_TIMEOUT_USEC=12000000"])
    }

    @Test func `a reactor that prepares itself is ready when it says so`() throws {
        let socket = try NotifySocket()
        let bench = try Bench()
        bench.reactor.isPreparing = true
        bench.reactor.report(to: try socket.supervisor())
        try bench.reactor.turn(times: 3)
        #expect(socket.datagrams == [])
        bench.reactor.isPreparing = false
        #expect(socket.datagrams == ["READY=1"])
        bench.reactor.isPreparing = false
        #expect(socket.datagrams == [])
    }

    @Test func `the watchdog hears the loop twice within its time, and not one that is held`()
        throws
    {
        let socket = try NotifySocket()
        let bench = try Bench()
        bench.reactor.report(to: try socket.supervisor(["WATCHDOG_USEC": "2000000"]))
        bench.kernel.isFrozen = true
        try bench.reactor.turn(times: 2)
        #expect(socket.datagrams == ["READY=1"])
        // A tick's end, so that intervals begin with it.
        bench.kernel.advance(.milliseconds(1))
        try bench.reactor.turn(times: 2)
        for _ in 0..<5 {
            bench.kernel.advance(.milliseconds(990))
            try bench.reactor.turn(times: 2)
            #expect(socket.datagrams == [])
            bench.kernel.advance(.milliseconds(10))
            try bench.reactor.turn(times: 2)
            #expect(socket.datagrams == ["WATCHDOG=1"])
        }
        // A handler holds the loop for an hour: nothing is said meanwhile, and once afterwards.
        bench.reactor.callSoon {
            bench.kernel.advance(.seconds(3600))
            #expect(socket.datagrams == [])
        }
        try bench.reactor.turn(times: 3)
        #expect(socket.datagrams == ["WATCHDOG=1"])
    }
}
