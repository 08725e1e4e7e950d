// The file of a Unix socket: which one it is, and whose.

/// Tells a socket's file from another that took its path later.
package struct SocketFile: Equatable, Sendable {
    package var device: UInt64
    package var inode: UInt64

    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}
