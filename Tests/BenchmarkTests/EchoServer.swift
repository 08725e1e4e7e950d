// An echo server for tests: a thread for each connection, and a place to spoil what goes back.
import Foundation
import Synchronization

@testable import throughput_benchmark

/// Sends back what it receives, after `spoil` has seen it with its offset in the connection. When
/// that leaves nothing, the connection is closed.
final class EchoServer: Sendable {
    typealias Spoil = @Sendable (inout [UInt8], _ offset: Int) -> Void

    let endpoint: Endpoint
    private let listener: Int32
    private let count = Atomic<Int>(0)

    /// How many connections it has had.
    var accepted: Int { count.load(ordering: .relaxed) }

    init(_ spoil: Spoil? = nil) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 128) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isListening else { throw Failure(system: "listen") }
        endpoint = try .loopback(port: UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                count.add(1, ordering: .relaxed)
                Thread.detachNewThread { Self.echo(connection, spoil) }
            }
        }
    }

    deinit { close(listener) }

    private static func echo(_ connection: Int32, _ spoil: Spoil?) {
        defer { close(connection) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var offset = 0
        while case let received = recv(connection, &buffer, buffer.count, 0), received > 0 {
            var answer = Array(buffer[..<received])
            spoil?(&answer, offset)
            offset += received
            var sent = 0
            repeat {
                let count = answer.withUnsafeBytes {
                    send(connection, $0.baseAddress! + sent, answer.count - sent, noSignal)
                }
                if answer.isEmpty || count < 0 { return }
                sent += count
            } while sent < answer.count
        }
    }

    private static let noSignal = Int32(MSG_NOSIGNAL)
}
