// A member that joins and then does not read: a plain socket that holds as little as possible.
import Glibc
import Tron

/// Its receive buffer is the smallest there is, so that the kernel takes little for it.
final class DeafMember {
    private let descriptor: Int32

    init?(port: UInt16, name: String, room: String) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var size: Int32 = 4096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let number = descriptor
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected, ask(1, name) == 0, ask(2, room) == 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// The answer, which is all that a member who says nothing and is in no room is sent.
    private func ask(_ category: UInt8, _ name: String) -> UInt8? {
        let data = [UInt8(name.utf8.count)] + Array(name.utf8)
        let request = OwnedPacket(sequence: 1, category: category, data: data).wireBytes
        guard send(descriptor, request, request.count, 0) == request.count else { return nil }
        var answer = [UInt8](repeating: 0, count: 12)
        guard recv(descriptor, &answer, 12, Int32(MSG_WAITALL)) == 12 else { return nil }
        return answer[9]
    }

    /// Whether the server has reset the connection, whatever waits here unread.
    var isDropped: Bool {
        var polled = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&polled, 1, 0) == 1 && polled.revents & Int16(POLLERR) != 0
    }
}
