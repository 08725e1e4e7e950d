// A server takes away its own socket file, and never that of whoever has the path now.
import Glibc
import Testing

@testable import Tron

@Suite struct SocketFileTests {
    /// How a server ends.
    enum End: CaseIterable { case stop, abort, drain, reactorStops, reactorIsReleased }

    /// Who has taken its path meanwhile.
    enum Successor: CaseIterable { case server, foreignSocket, plainFile, nobody }

    /// A path in a directory of its own, which is removed with what it holds.
    private func withPath(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/tron-socket-\(String(repeating: "X", count: 6))".utf8CString)
        let directory = String(cString: try #require(mkdtemp(&template)))
        defer {
            unlink(directory + "/s")
            unlink(directory + "/moved")
            rmdir(directory)
        }
        try body(directory + "/s")
    }

    /// The file's inode; nil when there is none.
    private func inode(_ path: String) -> UInt? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_ino : nil
    }

    private func end(_ server: Server, _ reactor: inout Reactor?, _ end: End) throws {
        switch end {
        case .stop: server.stop()
        case .abort: server.stop(sessions: .abort)
        case .drain: server.drain(within: .seconds(1)) { _ in }
        case .reactorStops:
            reactor?.stop()
            try reactor?.run()
        case .reactorIsReleased: reactor = nil
        }
        try reactor?.turn(times: 2)
    }

    /// What listens at the path, or lies there, from now on.
    private func take(_ path: String, _ successor: Successor) throws -> [Any] {
        switch successor {
        case .server:
            let reactor = try Reactor(kernel: FaultyKernel())
            return [reactor, try reactor.listen(on: path) { _ in }]
        case .foreignSocket:
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            let isBound = try SocketAddress(path).withRawAddress {
                bind(descriptor, $0.assumingMemoryBound(to: sockaddr.self), $1)
            }
            #expect(isBound == 0 && listen(descriptor, 8) == 0)
            return [OpenSocket(descriptor)]
        case .plainFile:
            close(open(path, O_CREAT | O_WRONLY, 0o600))
            return []
        case .nobody: return []
        }
    }

    private final class OpenSocket {
        private let descriptor: Int32
        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }

    @Test(arguments: End.allCases, Successor.allCases)
    func `a server that ends leaves what others have put at its path`(
        end: End, successor: Successor
    ) throws {
        try withPath { path in
            var reactor: Reactor? = try Reactor(kernel: FaultyKernel())
            let server = try #require(try reactor?.listen(on: path) { _ in })
            let own = inode(path)
            unlink(path)
            let holder = try take(path, successor)
            let taken = inode(path)
            #expect(own != nil && own != taken)
            try self.end(server, &reactor, end)
            #expect(inode(path) == taken)
            if successor == .server || successor == .foreignSocket {
                #expect((try? Peer(to: SocketAddress(path))) != nil, "the successor is deaf")
            }
            withExtendedLifetime(holder) {}
        }
    }

    @Test(arguments: End.allCases)
    func `a server that ends takes its own file away`(end: End) throws {
        try withPath { path in
            var reactor: Reactor? = try Reactor(kernel: FaultyKernel())
            let server = try #require(try reactor?.listen(on: path) { _ in })
            #expect(inode(path) != nil)
            try self.end(server, &reactor, end)
            #expect(inode(path) == nil)
        }
    }

    @Test func `a file that was moved away and another that took its place both stay`() throws {
        try withPath { path in
            let reactor = try Reactor(kernel: FaultyKernel())
            let server = try reactor.listen(on: path) { _ in }
            let moved = String(path.dropLast()) + "moved"
            #expect(rename(path, moved) == 0)
            let other = try reactor.listen(on: path) { _ in }
            server.stop()
            #expect(inode(path) != nil && inode(moved) != nil)
            _ = try Peer(to: SocketAddress(path))
            other.stop()
            #expect(inode(path) == nil)
        }
    }
}
