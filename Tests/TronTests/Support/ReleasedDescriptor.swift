// Closes descriptors so that their ends are told at once, whatever processes other tests start.
import Glibc

@testable import Tron

/// A process that another test starts has a copy of every descriptor until it executes its
/// program, and what a socket stands for is closed with the last copy. Until then the other end
/// knows of nothing, while a test's own clock may pass its deadlines.
enum ReleasedDescriptor {
    /// Closes it, and waits until no copy of it is left, but not for one that a test keeps: that
    /// costs a tenth of a second. Returns what the kernel's `close` does.
    @discardableResult
    static func close(_ descriptor: Int32) -> Int {
        // epoll forgets what was closed altogether, and what it watches can be read: epoll(7),
        // proc_pid_fdinfo(5).
        let kernel = Kernel()
        let watch = kernel.epollCreate()
        guard watch >= 0 else { return kernel.close(descriptor) }
        let number = Int32(watch)
        defer { _ = kernel.close(number) }
        let added = kernel.epollControl(
            number, operation: 1, descriptor: descriptor, events: 0, token: 0)
        let result = kernel.close(descriptor)
        var looks = 0
        while added == 0 && looks < 1000 && isWatching(number) {
            usleep(100)
            looks += 1
        }
        return result
    }

    private static func isWatching(_ watch: Int32) -> Bool {
        let stream = open("/proc/thread-self/fdinfo/\(watch)", O_RDONLY | O_CLOEXEC)
        guard stream >= 0 else { return false }
        defer { Glibc.close(stream) }
        let text = [UInt8](unsafeUninitializedCapacity: 512) { buffer, count in
            count = max(0, read(stream, buffer.baseAddress, buffer.count))
        }
        return String(decoding: text, as: UTF8.self).contains("tfd:")
    }
}
