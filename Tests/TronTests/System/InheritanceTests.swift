// What child processes get of a reactor: nothing by exec, and copies by fork alone.
import Glibc
import Testing

@testable import Tron

@Suite struct InheritanceTests {
    /// Everything that a reactor may have: listeners, sessions of both ends, signals, a timer.
    @Test(arguments: [Bench.Transport.unix, .ipv4])
    func `every descriptor is closed by exec`(transport: Bench.Transport) async {
        await #expect(processExitsWith: .success) { [name = "\(transport)"] in
            let bench = try Bench(name == "unix" ? .unix : .ipv4)
            try bench.reactor.onSignal(.user1) { _ in }
            let client = bench.reactor.makeClient(to: [bench.server.address])
            try bench.reactor.turn(until: { client.session != nil && bench.sessions.count == 1 })
            let kept = (3..<1024).filter { fcntl(Int32($0), F_GETFD) == 0 }
            let open = (3..<1024).filter { fcntl(Int32($0), F_GETFD) == FD_CLOEXEC }
            let own = bench.kernel.openDescriptors
            #expect(own.count >= 5 && own.isSubset(of: open.map(Int32.init)))
            #expect(own.isDisjoint(with: kept.map(Int32.init)))
        }
    }

    /// Such a child is a copy of the listener: the name is taken for as long as it lives.
    @Test func `a child of fork keeps an address taken until it ends`() async {
        await #expect(processExitsWith: .success) {
            var ends: [Int32] = [-1, -1]
            #expect(pipe(&ends) == 0)
            let (reading, writing) = (ends[0], ends[1])
            let reactor = try Reactor()
            let name = Bench.unixName()
            let server = try reactor.listen(on: name) { _ in }
            let child = ForkedChild.start {
                close(writing)
                var byte: UInt8 = 0
                _ = read(reading, &byte, 1)
            }
            server.stop()
            try reactor.turn()
            let error = #expect(throws: EndpointError.self) {
                try reactor.listen(on: name) { _ in }
            }
            #expect(error?.cause == SystemError(.bind, code: EADDRINUSE))
            close(writing)
            var status: Int32 = -1
            waitpid(child, &status, 0)
            try reactor.listen(on: name) { _ in }
        }
    }
}
