// The file of a Unix socket: which one it is, and whose.

/// Tells a socket's file from another that took its path later.
struct SocketFile: Equatable {
    var device: UInt64
    var inode: UInt64
}
