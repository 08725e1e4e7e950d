// What the kernel calls a socket, read as an address: real sockets, and bytes made up.
import Glibc
import Testing

@testable import Tron

@Suite struct KernelAddressTests {
    @Test func `the kernel gives an abstract name back as it was bound`() throws {
        let address = try SocketAddress("unix:@tron-test-\(getpid())")
        #expect(boundAddress(address) == address)
    }

    @Test func `the kernel gives a path back as it was bound`() throws {
        let path = "/tmp/tron-test-\(getpid()).sock"
        defer { unlink(path) }
        let address = try SocketAddress(path)
        #expect(boundAddress(address) == address)
    }

    @Test func `a socket that was never bound is unnamed`() throws {
        let address = try #require(boundAddress(nil))
        #expect(address.description == "unix:")
        #expect(address.withRawAddress { SocketAddress(raw: $0, length: $1) } == address)
    }

    @Test func `a path that no text can stand for reads as unnamed`() {
        #expect(unix([0x2f, 0xff])?.description == "unix:")
        #expect(unix([0, 0x61, 0, 0x62])?.description == "unix:")
        #expect(unix([UInt8](repeating: 0x61, count: 108))?.description == "unix:")
    }

    @Test func `a file whose name starts like an abstract one is still a file`() {
        #expect(unix([0x40, 0x61, 0])?.description == "unix:./@a")
        #expect(unix([0, 0x61])?.description == "unix:@a")
    }

    @Test func `a form that is too short or of another family is no address`() throws {
        #expect(read(family: AF_INET, [], length: 0) == nil)
        #expect(read(family: AF_INET, [], length: 15) == nil)
        #expect(read(family: AF_INET6, [], length: 27) == nil)
        #expect(read(family: AF_NETLINK, [], length: 28) == nil)
    }

    private func unix(_ path: [UInt8]) -> SocketAddress? {
        read(family: AF_UNIX, path, length: UInt32(2 + path.count))
    }

    private func read(family: Int32, _ rest: [UInt8], length: UInt32) -> SocketAddress? {
        var bytes = withUnsafeBytes(of: sa_family_t(family)) { [UInt8]($0) } + rest
        bytes += [UInt8](repeating: 0, count: 128 - bytes.count)
        return bytes.withUnsafeBytes { SocketAddress(raw: $0.baseAddress!, length: length) }
    }

    /// What the kernel calls a socket bound to `address`, or a Unix socket bound to nothing.
    private func boundAddress(_ address: SocketAddress?) -> SocketAddress? {
        let family = address?.family ?? AF_UNIX
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        let bound = address?.withRawAddress { raw, length in
            bind(descriptor, raw.assumingMemoryBound(to: sockaddr.self), length)
        }
        guard bound ?? 0 == 0 else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { storage in
            let start = storage.baseAddress!
            var length: UInt32 = 128
            getsockname(descriptor, start.assumingMemoryBound(to: sockaddr.self), &length)
            return SocketAddress(raw: start, length: length)
        }
    }
}
