// Threads: telling them apart, and starting one.
internal import CEpollShim

/// The identity of a thread, valid while the thread lives.
struct ThreadIdentity: Equatable, Sendable {
    private let value: UInt

    /// The calling thread.
    @inline(__always)
    static var current: ThreadIdentity { ThreadIdentity(value: tron_thread()) }
}

/// Runs `body` on a thread of its own, which ends with it.
func startThread(
    by kernel: Kernel = Kernel(), _ body: @escaping @Sendable () -> Void
) throws(SystemError) {
    try SystemError.require(.pthread_create) { kernel.startThread(body) }
}

/// The machine's part of it: 0, or `-errno`.
func startDetachedThread(_ body: @escaping @Sendable () -> Void) -> Int {
    let box = unsafe Unmanaged.passRetained(ThreadBody(run: body))
    let result = unsafe tron_start_thread(
        { context in
            unsafe Unmanaged<ThreadBody>.fromOpaque(context.unsafelyUnwrapped)
                .takeRetainedValue().run()
            return nil
        }, box.toOpaque())
    if result < 0 { unsafe box.release() }
    return result
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
}
