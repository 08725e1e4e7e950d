// Some cells of the fault matrix with the machine's own kernel: strace makes the demo's calls fail.
import Foundation
import Testing

@testable import Tron

/// Not of a program with a leak checker, which traces itself.
private let canTrace = Tool.run(
    "timeout",
    [
        "-s", "KILL", "5", "strace", "-D", "-f", "-o", "/dev/null", "-e",
        "inject=brk:delay_enter=1",
        ProcessUnderTest.productFolder + "/echo-demo", "--version",
    ])

@Suite(.enabled(if: canTrace, "needs strace, the right to trace, and no leak checker"))
struct InjectionTests {
    private let ping = wire("ping")

    /// A server one of whose calls fails, and where the tracer writes what it did.
    private final class Traced {
        let server: EchoServer
        private let path: String

        init(_ fault: String, _ options: [String] = []) throws {
            path =
                FileManager.default.temporaryDirectory
                .appending(path: "tron-strace-\(UUID().uuidString)").path
            let call = fault.prefix { $0 != ":" }
            server = try EchoServer(
                ["--port", "0"] + options,
                under: [
                    "strace", "-D", "-f", "-o", path, "-e", "trace=\(call)", "-e",
                    "inject=\(fault)",
                ])
        }

        deinit { unlink(path) }

        /// Ends the server, and says how often its call was made to fail.
        func end(closing client: PlainClient? = nil) throws -> Int {
            let outcome = try server.end(with: SIGTERM, closing: client)
            #expect(outcome.status == 0 && outcome.errors == "", "\(outcome)")
            // The tracer is another process, which ends after the server.
            for _ in 0..<1000 {
                let text = try String(contentsOfFile: path, encoding: .utf8)
                if text.contains("+++ exited") {
                    return text.components(separatedBy: "INJ").count - 1
                }
                usleep(10_000)
            }
            return 0
        }
    }

    private func echoes(_ server: EchoServer) throws -> PlainClient {
        let client = try PlainClient(server.address)
        client.send(ping)
        #expect(try client.receive(count: ping.count) == ping)
        return client
    }

    @Test(arguments: [
        "accept4:error=EMFILE:when=1", "accept4:error=ECONNABORTED:when=1",
        "accept4:error=EINTR:when=1", "epoll_wait:error=EINTR:when=1..3",
        "epoll_pwait2:error=EINTR:when=1..3", "epoll_pwait2:error=ENOSYS",
        "epoll_pwait2:error=EPERM", "recvfrom:error=EINTR:when=1", "recvfrom:error=EAGAIN:when=1",
        "sendto:error=EINTR:when=1", "sendto:error=EAGAIN:when=1",
        "shutdown:error=ENOTCONN",
    ])
    func `a fault that harms nobody is not seen`(fault: String) throws {
        let traced = try Traced(fault, ["--idle", "30"])
        _ = try echoes(traced.server)
        let client = try echoes(traced.server)
        #expect(try traced.end(closing: client) > 0)
    }

    @Test(arguments: [
        "recvfrom:error=ECONNRESET:when=1", "recvfrom:error=ETIMEDOUT:when=1",
        "sendto:error=EPIPE:when=1", "sendto:error=ENOBUFS:when=1",
        "epoll_ctl:error=ENOMEM:when=4", "epoll_ctl:error=ENOSPC:when=4",
    ])
    func `a fault that befalls one connection ends that alone`(fault: String) throws {
        let traced = try Traced(fault)
        let client = try PlainClient(traced.server.address)
        client.send(ping)
        #expect(try client.receive(count: ping.count) == [])
        _ = try echoes(traced.server)
        #expect(try traced.end() == 1)
    }

    @Test(arguments: [
        ("socket:error=EMFILE", "Too many open files"), ("bind:error=EACCES", "Permission denied"),
        ("epoll_create1:error=ENFILE", "Too many open files in system"),
        ("eventfd2:error=ENODEV", "No such device"),
        ("getsockname:error=ENOBUFS", "No buffer space available"),
        ("epoll_wait:error=EFAULT", "epoll_wait: Bad address"),
    ])
    func `a fault without which there is no server is told`(fault: String, text: String) throws {
        let launcher = ["strace", "-D", "-f", "-o", "/dev/null", "-e", "inject=\(fault)"]
        let process = try ProcessUnderTest(["serve", "--port", "0"], under: launcher)
        let outcome = try process.awaitEnd()
        #expect(outcome.status == 1 && outcome.errors.contains(text), "\(outcome)")
    }
}
