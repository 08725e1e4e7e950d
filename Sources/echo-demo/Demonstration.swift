// `echo-demo` alone: servers and clients on one reactor, step by step, each step checked.
import Tron

/// Runs the steps and returns the exit status: 0 only if each went as it has to.
func demonstrate() throws -> Int32 {
    let reactor = try Reactor()
    let scenes = try PacketStage(reactor).scenes + ClientStage(reactor).scenes
    let demonstration = Demonstration(reactor, scenes)
    demonstration.begin()
    try reactor.run()
    return demonstration.conclude()
}

/// Called once, with what went wrong, if anything.
typealias Verdict = (String?) -> Void

/// One step as the demonstration sees it.
struct Scene {
    let title: String
    /// What there is to see.
    let lesson: String
    let play: (@escaping Verdict) -> Void
}

/// Runs one step after the other.
private final class Demonstration {
    private let reactor: Reactor
    private let scenes: [Scene]
    private let start = ContinuousClock.now
    private var passed = 0
    private var failure: String?

    private static let timeLimit = Duration.seconds(10)

    init(_ reactor: Reactor, _ scenes: [Scene]) {
        self.reactor = reactor
        self.scenes = scenes
    }

    func begin() {
        reactor.schedule(after: Self.timeLimit) { self.fail("not over after \(Self.timeLimit)") }
        Terminal.say("Servers and their clients, all on one reactor.")
        runNext()
    }

    private func runNext() {
        guard passed < scenes.count else { return reactor.stop() }
        let scene = scenes[passed]
        Terminal.say("\n\(passed + 1). \(scene.title)\n   \(scene.lesson)")
        scene.play { failure in
            if let failure { return self.fail(failure) }
            self.passed += 1
            self.runNext()
        }
    }

    private func fail(_ reason: String) {
        failure = failure ?? reason
        reactor.stop()
    }

    func conclude() -> Int32 {
        guard failure == nil, passed == scenes.count else {
            let title = passed < scenes.count ? scenes[passed].title : "the end"
            Terminal.complain("step \(passed + 1) (\(title)) failed: \(failure ?? "stopped")")
            return ExitStatus.failure
        }
        let time = milliseconds(ContinuousClock.now - start)
        Terminal.say("\nAll \(passed) steps went as they have to, in \(time) ms.")
        return ExitStatus.success
    }
}
