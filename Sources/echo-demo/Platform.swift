// What this demo needs of the C library besides: terminals, a thread, a semaphore.
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Terminal {
    /// In whose name it complains.
    static let program = "echo-demo"
}

extension Platform {
    static let standardInput = STDIN_FILENO
    static let standardOutput = STDOUT_FILENO

    /// Whether something can be written there without waiting, and is read.
    static func isWritable(_ descriptor: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&request, 1, 0) > 0 && request.revents == Int16(POLLOUT)
    }

    /// How large the terminal is; nil where there is none, or one that cannot move its cursor.
    static func terminalSize(of descriptor: Int32) -> (columns: Int, rows: Int)? {
        var size = winsize()
        guard isatty(descriptor) != 0, environment("TERM") != "dumb",
            unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0
        else { return nil }
        // Some terminals do not know theirs.
        let isKnown = size.ws_col > 0 && size.ws_row > 0
        return isKnown ? (Int(size.ws_col), Int(size.ws_row)) : (80, 24)
    }

    /// A variable of the environment; empty where it is not set.
    static func environment(_ name: String) -> String {
        guard let value = unsafe getenv(name) else { return "" }
        return unsafe String(cString: value)
    }

    /// Reads once, at most `limit` bytes: none at the end, nil where the descriptor cannot be read.
    static func read(_ limit: Int, from descriptor: Int32) -> [UInt8]? {
        var count = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
            repeat {
                count = unsafe systemRead(descriptor, buffer.baseAddress, limit)
            } while count < 0 && errno == EINTR
            filled = max(0, count)
        }
        return count < 0 ? nil : bytes
    }

    /// Runs `body` on a thread of its own, which ends with the process at the latest. False when
    /// the system has no thread left.
    static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        let context = unsafe Unmanaged.passRetained(ThreadBody(body)).toOpaque()
        #if canImport(Glibc)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        let code = unsafe pthread_create(&thread, nil, threadMain, context)
        guard code == 0 else {
            unsafe Unmanaged<ThreadBody>.fromOpaque(context).release()
            return false
        }
        // Nobody waits for it, so what the system keeps of it goes when it ends.
        pthread_detach(thread)
        return true
    }
}

// The plain name would mean the function of `Platform` there.
private let systemRead = unsafe read(_:_:_:)

private final class ThreadBody {
    let call: @Sendable () -> Void

    init(_ call: @escaping @Sendable () -> Void) { self.call = call }
}

private func threadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context = unsafe context {
        unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().call()
    }
    return nil
}

/// A semaphore between two threads: each `signal()` lets one `wait()` return, also a later one.
///
/// Sendable because the system's own is, and nothing else is in it.
@safe
final class Semaphore: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe semaphore.initialize(to: sem_t())
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func signal() { unsafe sem_post(semaphore) }

    func wait() {
        // It fails only when a signal handler interrupts it.
        while unsafe sem_wait(semaphore) != 0 {}
    }
}
