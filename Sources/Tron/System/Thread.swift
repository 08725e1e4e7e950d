// Telling threads apart.
internal import CEpollShim

/// The identity of a thread, valid while the thread lives.
struct ThreadIdentity: Equatable, Sendable {
    private let value: UInt

    /// The calling thread.
    @inline(__always)
    static var current: ThreadIdentity { ThreadIdentity(value: tron_thread()) }
}
