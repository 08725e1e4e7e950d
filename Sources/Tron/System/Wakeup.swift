// Waking a sleeping loop from another thread, and a lock for what is handed over: eventfd(2).
internal import CEpollShim

/// An eventfd. `signal` may be called on any thread, the rest on the loop's own.
struct Wakeup: ~Copyable, Sendable {
    private let descriptor: Descriptor

    init(kernel: Kernel) throws(SystemError) {
        let number = try SystemError.require(.eventfd) { kernel.eventDescriptor() }
        descriptor = Descriptor(number, kernel: kernel)
    }

    var number: Int32 { descriptor.number }

    /// Makes the descriptor readable. A full counter would block the write, but is readable too.
    /// False where the kernel refuses: then nobody has been woken.
    borrowing func signal() -> Bool {
        var one: UInt64 = 1
        do throws(SystemError) {
            _ = try SystemError.judge(.write) {
                unsafe descriptor.kernel.write(descriptor.number, &one, 8)
            }
            return true
        } catch {
            return false
        }
    }

    /// Makes the descriptor unreadable until the next signal.
    borrowing func drain() throws(SystemError) {
        var counter: UInt64 = 0
        _ = try SystemError.judge(.read) {
            unsafe descriptor.kernel.read(descriptor.number, &counter, 8)
        }
    }
}

/// A value that one thread at a time may touch.
///
/// A pthread mutex and not `Synchronization.Mutex`, which the thread sanitizer does not understand.
@safe
final class Locked<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    init(_ value: sending Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        self.value = value
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` while no other thread is in a `withLock` of this value.
    func withLock<Result>(_ body: (inout Value) -> sending Result) -> sending Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body(&value)
    }
}
