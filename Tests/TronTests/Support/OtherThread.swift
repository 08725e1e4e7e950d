// A thread that a test starts and waits for.
import Glibc

final class OtherThread {
    private final class Body {
        let run: () -> Void

        init(_ run: @escaping () -> Void) { self.run = run }
    }

    private var thread = pthread_t()

    convenience init(_ run: @escaping @Sendable () -> Void) { self.init(waitedFor: run) }

    /// What is not `Sendable` may run there while the caller waits.
    private init(waitedFor run: @escaping () -> Void) {
        let code = pthread_create(
            &thread, nil,
            { raw in
                Unmanaged<Body>.fromOpaque(raw!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(Body(run)).toOpaque())
        precondition(code == 0, "no thread is to be had")
    }

    func join() { pthread_join(thread, nil) }

    /// Runs `body` on a thread of its own and waits for its end.
    static func run(_ body: @escaping () -> Void) { OtherThread(waitedFor: body).join() }
}
