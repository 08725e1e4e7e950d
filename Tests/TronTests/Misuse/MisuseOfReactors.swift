// Calls that come too late or from the wrong place, and descriptors that others close.
import Glibc

@testable import Tron

extension Misuse {
    static let endings = [
        Misuse("run within a handler", "Reactor.run() was called from within a handler of its own")
        {
            let reactor = try Reactor()
            reactor.schedule(after: .zero) { try? reactor.run() }
            try reactor.run()
        },
        afterTheStop("Reactor.listen(on:)") { try $0.listen(on: Bench.unixName()) { _ in } },
        afterTheStop("Reactor.connectOnce(to:)") {
            $0.connectOnce(to: .loopback(port: 1)) { _ in }
        },
        afterTheStop("Reactor.makeClient(to:)") { $0.makeClient(to: "127.0.0.1:1") },
        afterTheStop("Reactor.onEvent") { $0.onEvent { _ in } },
        afterTheStop("Reactor.onSignal") { try $0.onSignal(.user1) { _ in } },
        Misuse("events: none a second", "Reactor.onEvent(atMost:): at least one event a second") {
            try Reactor().onEvent(atMost: 0) { _ in }
        },
        Misuse("client of nobody", "Reactor.makeClient(to:) needs an address") {
            let nobody: [SocketAddress] = []
            try Reactor().makeClient(to: nobody)
        },
        Misuse("client sent to nobody", "Client.setAddresses(_:) needs an address") {
            try Reactor().makeClient(to: "127.0.0.1:1").setAddresses([])
        },
        Misuse("a group of two reactors", "SessionGroup.add(_:): a session of another reactor") {
            let bench = try Bench()
            _ = try bench.connect()
            try Reactor().makeGroup().add(bench.sessions[0])
        },
        Misuse("a group of no reactors", "ReactorCount.exactly(_:): 1 to 1,024") {
            _ = ReactorGroup(count: .exactly(0))
        },
        Misuse("a group runs twice", "ReactorGroup.run() was called twice") {
            let group = ReactorGroup(count: 1)
            for _ in 0..<2 { Task.detached { try await group.run() } }
            while true { usleep(1000) }
        },
        afterItBegan("listen(on:)") { try $0.listen(on: Bench.unixName()) { _ in } },
        afterItBegan("report(to:)") { group in
            try Supervisor(process: 1, kernel: Kernel()) { $0 == "NOTIFY_SOCKET" ? "@" + $0 : nil }
                .map { group.report(to: $0) }
        },
        Misuse("a second task", "Session.task was called twice") {
            let bench = try Bench()
            _ = try bench.connect()
            for _ in 0..<2 { bench.sessions[0].task { _ in } }
        },
        Misuse("executor: another thread", "this is not the reactor's thread") {
            let executor = try Reactor().executor
            OtherThread.run { executor.checkIsolated() }
        },
    ]

    static let descriptors = [
        Misuse("listener closed by others", "epoll_ctl: a descriptor was closed by others") {
            let kernel = FaultyKernel()
            let reactor = try Reactor(kernel: kernel)
            let server = try reactor.listen(on: Bench.unixName()) { _ in }
            // What the kernel says of it. Were it closed, another thread could open its number
            // again before it is missed.
            kernel.fault = { call, _, _ in call == .epollControl ? .error(EBADF) : nil }
            server.stop()
        },
        Misuse("epoll closed by others", "close: descriptor … was closed by others") {
            let kernel = FaultyKernel()
            var reactor: Reactor? = try Reactor(kernel: kernel)
            // What watches the others is itself not watched.
            for number in kernel.openDescriptors where kernel.interests[number] == nil {
                _ = kernel.close(number)
            }
            withExtendedLifetime(reactor) {}
            reactor = nil
        },
    ]

    private static func afterItBegan(
        _ call: String, _ commit: @escaping @Sendable (ReactorGroup) throws -> Any?
    ) -> Misuse {
        Misuse("after a group began: " + call, "ReactorGroup." + call + " was called after run()") {
            let group = ReactorGroup(count: 1)
            let reactor = try Reactor()
            try group.join(reactor, at: 0)
            _ = try commit(group)
        }
    }

    private static func afterTheStop(
        _ call: String, _ commit: @escaping @Sendable (Reactor) throws -> Any?
    ) -> Misuse {
        Misuse("after the stop: " + call, call + " was called after the reactor had stopped") {
            let reactor = try Reactor()
            reactor.stop()
            try reactor.run()
            _ = try commit(reactor)
        }
    }
}
