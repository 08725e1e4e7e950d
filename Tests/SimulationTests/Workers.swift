// The threads that runs are made on, and who names the seed when the library traps on one.
import Glibc
import TronTestKit

/// A thread with a stack like the main one's.
struct Worker {
    private final class Body {
        let run: () -> Void

        init(_ run: @escaping () -> Void) { self.run = run }
    }

    private var thread = pthread_t()

    init(_ body: @escaping () -> Void) {
        let context = Unmanaged.passRetained(Body(body)).toOpaque()
        let code = pthread_create(
            &thread, nil,
            {
                Unmanaged<Body>.fromOpaque($0!).takeRetainedValue().run()
                return nil
            }, context)
        precondition(code == 0, "no thread is to be had")
    }

    /// Runs `body` on a thread that has ended when this returns: what it does happens at one point
    /// of a run, in every repetition the same.
    static func runOnce(_ body: @escaping () -> Void) { Worker(body).join() }

    func join() { pthread_join(thread, nil) }
}

/// Names the seed of a run in which the library trapped: then the process ends at once.
enum CrashReport {
    private static let threads = 64
    nonisolated(unsafe) private static let owners = UnsafeMutablePointer<pthread_t>.allocate(
        capacity: threads)
    nonisolated(unsafe) private static let seeds = UnsafeMutablePointer<UInt64>.allocate(
        capacity: threads)

    static func begins(_ seed: UInt64, on index: Int) {
        owners[index] = pthread_self()
        seeds[index] = seed
    }

    /// Where it is noted, too, which seed crashed.
    nonisolated(unsafe) private static var file: Int32 = -1

    static func install(notingIn path: String?) {
        if let path { file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644) }
        owners.initialize(repeating: 0, count: threads)
        seeds.initialize(repeating: 0, count: threads)
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT] {
            signal(number) { number in
                CrashReport.tell()
                Glibc.signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    private static func tell() {
        for index in 0..<threads where pthread_equal(owners[index], pthread_self()) != 0 {
            let seed = seeds[index]
            let line = Array("\(seed)\n".utf8)
            if file >= 0 { _ = write(file, line, line.count) }
            Standard.error(
                "simulation: seed \(seed) crashed\n"
                    + "simulation: repeat it with: .ci/simulate --seed \(seed) --trace")
        }
    }
}
