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
func startThread(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
    let box = unsafe Unmanaged.passRetained(ThreadBody(run: body))
    do throws(SystemError) {
        try SystemError.require(.pthread_create) {
            unsafe tron_start_thread(
                { context in
                    unsafe Unmanaged<ThreadBody>.fromOpaque(context.unsafelyUnwrapped)
                        .takeRetainedValue().run()
                    return nil
                }, box.toOpaque())
        }
    } catch {
        unsafe box.release()
        throw error
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
}
