// Subscribers and publishers of a cluster to which things happen, and sums that have to be exact:
// see .ci/cluster.
//
//     cluster-load PORT SUBSCRIBERS TOPICS MESSAGES PHASE...
//
// In each phase a share of the messages is published, and within all but `calm` and `slow` it says
// `fault NAME`, has SIGUSR1 tell it that the fault is over, and goes on. A phase ends once each
// message has reached each subscriber of its topic, or is within what that was told to be missing;
// if that takes too long, or anything came twice or out of its order, it fails.
import Glibc
import Tron

@main struct ClusterLoad {
    static func main() throws {
        let words = Array(CommandLine.arguments.dropFirst())
        let numbers = words.prefix(4).compactMap { Int($0) }
        let phases = Array(words.dropFirst(4))
        guard numbers.count == 4, let port = UInt16(exactly: numbers[0]),
            numbers[1...].allSatisfy({ $0 > 0 }), !phases.isEmpty
        else {
            say("usage: cluster-load PORT SUBSCRIBERS TOPICS MESSAGES PHASE...")
            exit(64)
        }
        let reactor = try Reactor()
        let run = Run(
            on: reactor, to: .loopback(port: port), subscribers: numbers[1], topics: numbers[2],
            messages: numbers[3], phases: phases)
        try reactor.onSignal(.user1) { _ in run.faultIsOver() }
        run.begin()
        try reactor.run()
        if let problem = run.problem {
            say("FAILED: \(problem)")
            exit(1)
        }
    }
}

func say(_ line: String) {
    print(line)
    fflush(nil)
}

/// The phases, one after the other.
final class Run {
    /// Publishers: each topic is one's own, so that its messages have one order.
    private static let publishers = 4
    /// Topics of a subscriber.
    private static let topicsPerSubscriber = 2
    /// Messages a second while something may happen. In calm there is no limit.
    private static let pace = 4000
    /// Subscribers of the topic that floods them, which do not read it for a while; messages of
    /// 4,000 bytes each.
    private static let flooded = 20
    private static let flood = 1500
    /// How long a phase may take to settle: a node that is gone is noticed after 15 to 20 s.
    private static let patience = Duration.seconds(40)

    private let reactor: Reactor
    private let ledger: Ledger
    private var subscribers: [LoadSubscriber] = []
    private var publishers: [LoadPublisher] = []
    private let topics: Int
    private let share: Int
    private var phases: [String]
    private var phase = ""
    private(set) var problem: String?

    /// Of the phase: what is left to publish, and where the fault is.
    private var left = 0
    private var fault = Fault.none
    private var begun = Duration.zero
    private var published = Duration.zero
    private var nextTopic = 0

    private enum Fault { case none, ahead, now, over }

    init(
        on reactor: Reactor, to address: SocketAddress, subscribers count: Int, topics: Int,
        messages: Int, phases: [String]
    ) {
        self.reactor = reactor
        self.topics = topics
        self.phases = phases
        share = messages / phases.count
        ledger = Ledger(topics: topics + 1)
        let step = Self.topicsPerSubscriber
        for number in 0..<count {
            let own = (0..<step).map { (number * step + $0) % topics }
            subscribers.append(LoadSubscriber(own, address, ledger, on: reactor))
        }
        for _ in 0..<Self.flooded {
            subscribers.append(LoadSubscriber([topics], address, ledger, on: reactor))
        }
        publishers = (0..<Self.publishers).map { _ in
            LoadPublisher(address, ledger, on: reactor)
        }
    }

    func begin() {
        reactor.schedule(after: .milliseconds(10), repeating: .milliseconds(10)) { [self] in
            step()
        }
        say("\(subscribers.count) subscribers, \(topics) topics")
    }

    func faultIsOver() { fault = .over }

    private func fail(_ what: String) {
        problem = problem ?? what
        reactor.stop()
    }

    private func step() {
        if let trouble = ledger.trouble { return fail("\(phase): \(trouble)") }
        if phase.isEmpty { return beginPhase() }
        if left > 0 { publishSome() }
        if left == 0 && fault != .ahead && fault != .now { settle() }
    }

    private func beginPhase() {
        guard !phases.isEmpty else { return reactor.stop() }
        guard subscribers.allSatisfy(\.isFollowing) else {
            if reactor.uptime - begun > Self.patience { fail("subscribers do not get in") }
            return
        }
        phase = phases.removeFirst()
        left = share
        fault = ["calm", "slow"].contains(phase) ? .none : .ahead
        begun = reactor.uptime
        published = .zero
        ledger.beginPhase()
        if phase == "slow" {
            for subscriber in subscribers.suffix(Self.flooded) { subscriber.stopReading() }
            left += Self.flood
        }
    }
}

// MARK: - Publishing

extension Run {
    /// A third of the share before the fault, at most a third during it, the rest after it.
    private func publishSome() {
        var allowed = phase == "calm" ? 20_000 : Self.pace / 100
        while allowed > 0, left > 0 {
            switch fault {
            case .ahead where left <= share * 2 / 3:
                fault = .now
                say("fault \(phase)")
            case .now where left <= share / 3: return
            default: break
            }
            guard publishNext() else { return }
            allowed -= 1
            left -= 1
        }
        if left == 0 { published = reactor.uptime - begun }
    }

    /// False when its publisher cannot send now. The topic has its turn later, then.
    private func publishNext() -> Bool {
        for _ in 0..<topics {
            let isFlood = phase == "slow" && left > share
            let topic = isFlood ? topics : nextTopic
            nextTopic = (nextTopic + 1) % topics
            if publishers[topic % Self.publishers].publish(topic, length: isFlood ? 4000 : 64) {
                return true
            }
            if isFlood { return false }
        }
        return false
    }
}

// MARK: - The end of a phase

extension Run {
    private func settle() {
        if phase == "slow" { for subscriber in subscribers { subscriber.readAgain() } }
        let isLate = reactor.uptime - begun > published + Self.patience
        let isAnswered = publishers.allSatisfy(\.isIdle) && subscribers.allSatisfy(\.isFollowing)
        let unsettled = subscribers.filter { !$0.isSettled }
        guard isAnswered && unsettled.isEmpty else {
            if isLate {
                fail(
                    "\(phase): not settled: publishers \(publishers.map(\.waiting)), "
                        + "\(subscribers.count { !$0.isFollowing }) without subscription, "
                        + unsettled.prefix(3).map(\.story).joined(separator: "; "))
            }
            return
        }
        var sums = ledger.sums
        for subscriber in subscribers { sums.add(subscriber.closeAccount()) }
        say("\(phase): \(sums)")
        if phase == "calm" {
            let rate = published > .zero ? Double(share) / (published / .seconds(1)) : 0
            let fanOut = Double(sums.owed) / Double(share)
            say("calm: \(Int(rate)) messages/s, \(Int(rate * fanOut)) deliveries/s")
            if sums.told.total > 0 { fail("calm: told that something is missing") }
        }
        if sums.owed != sums.delivered + sums.told.total { fail("\(phase): the sums differ") }
        phase = ""
        begun = reactor.uptime
    }
}
