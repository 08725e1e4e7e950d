// How a group comes by its sockets, and what each reactor has for itself.
import Glibc
import Testing

@testable import Tron

@Suite struct GroupListeningTests {
    /// The order in which the sockets are made, as the kernel sees it.
    @Test func `the first socket is bound before it shares its port, the others after`() throws {
        let kernel = OptionKernel()
        let group = ReactorGroup(count: 3, kernel: kernel)
        let server = try group.listen(on: "127.0.0.1:0") { _ in }
        #expect(
            kernel.story == [
                "bind 0", "share", "listen", "share", "bind \(server.address.port!)", "listen",
                "share", "bind \(server.address.port!)", "listen",
            ])
    }

    @Test func `one socket does for one reactor, and for a Unix socket`() throws {
        for (count, address) in [(1, "127.0.0.1:0"), (3, Bench.unixName())] {
            let kernel = OptionKernel()
            let group = ReactorGroup(count: .exactly(count), kernel: kernel)
            try group.listen(on: address) { _ in }
            #expect(kernel.story.filter { !$0.hasPrefix("bind") } == ["listen"])
            #expect(kernel.openDescriptors.count == 1)
        }
    }

    @Test func `what fails on the way closes what there is`() throws {
        for call in [KernelCall.socket, .bind, .listen] {
            let kernel = FaultyKernel()
            kernel.fault = { made, number, _ in
                made == call && number == 3 ? .error(ENOBUFS) : nil
            }
            let group = ReactorGroup(count: 4, kernel: kernel)
            let address = SocketAddress.loopback(port: 0)
            do throws(EndpointError) {
                try group.listen(on: address) { _ in }
                Issue.record("it listens")
            } catch {
                #expect(error.cause.code == ENOBUFS)
            }
            #expect(kernel.openDescriptors.isEmpty)
        }
    }

    @Test func `a socket that the kernel refuses an option is closed`() throws {
        let foreign = Foreign(.loopback(port: 0))
        let kernel = FaultyKernel()
        let inherited = try InheritedListeners([("echo", foreign.copy)], kernel: Kernel(kernel))
        kernel.fault = { call, _, _ in call == .setOption ? .error(ENOBUFS) : nil }
        let group = ReactorGroup(count: 2, kernel: kernel)
        let listener = try inherited.claim("echo")
        do throws(EndpointError) {
            try group.listen(on: listener) { _ in }
            Issue.record("it listens")
        } catch {
            #expect(error.cause == SystemError(.setsockopt, code: ENOBUFS))
        }
        #expect(kernel.openDescriptors.isEmpty)
    }

    @Test func `a reactor that cannot hear of its listener stops the group`() throws {
        let kernel = FaultyKernel()
        let group = ReactorGroup(count: 2, kernel: kernel)
        try group.listen(on: "127.0.0.1:0") { _ in }
        let reactors = try (0..<2).map { index in
            let reactor = try Reactor(kernel: kernel)
            try group.join(reactor, at: index)
            return reactor
        }
        var refusals = 0
        kernel.fault = { call, _, _ in
            guard call == .epollControl, refusals == 0 else { return nil }
            refusals += 1
            return .error(ENOSPC)
        }
        for _ in 0..<5 {
            for reactor in reactors where !reactor.isFinished {
                if try !reactor.step() { reactor.finish() }
            }
        }
        let haveEnded = reactors.allSatisfy { $0.isFinished }
        #expect(haveEnded && refusals == 1)
    }
}

/// Notes how listening sockets are made.
private final class OptionKernel: FaultyKernel, @unchecked Sendable {
    private(set) var story: [String] = []

    override func bind(_ number: Int32, _ raw: UnsafeRawPointer, _ length: UInt32) -> Int {
        let port = SocketAddress(raw: raw, length: length)?.port
        story.append("bind \(port.map { "\($0)" } ?? "path")")
        return super.bind(number, raw, length)
    }

    override func listen(_ number: Int32, backlog: Int32) -> Int {
        story.append("listen")
        return super.listen(number, backlog: backlog)
    }

    override func setOption(_ number: Int32, level: Int32, name: Int32, value: Int32) -> Int {
        if name == SO_REUSEPORT && level == SOL_SOCKET { story.append("share") }
        return super.setOption(number, level: level, name: name, value: value)
    }
}
