// One subscriber's view of one topic: what it heard, what is missing, what it was told of that.
import Tron

/// Numbers are those of the ledger: of each topic 0, 1, 2 …
///
/// Invariant: of the numbers from `start` up to `next` each was heard, or is in `missing`, or was
/// told by the end of a connection.
struct Following {
    private let topic: Int
    private let ledger: Ledger
    /// The broker has the subscription: what is published from now on is owed.
    private(set) var isFollowing = false
    private var start: Int
    private var next: Int
    /// The last that came on this connection.
    private var lastHeard = -1
    private var missing: [Int] = []
    private var gaps: [Gap] = []
    private var account = Account()
    private var hasFollowed = false

    struct Gap {
        var reason: UInt8
        var position: Position
        var last: UInt64
        /// How many messages there were when it was told: it can tell of no later ones.
        var end: Int
    }

    init(_ topic: Int, _ ledger: Ledger) {
        self.topic = topic
        self.ledger = ledger
        start = 0
        next = 0
    }

    /// What was published between two connections is missing, and known to be.
    mutating func begin() {
        isFollowing = true
        let count = ledger.count(of: topic)
        if hasFollowed {
            account.told.end += missing.count + max(0, count - next)
        } else {
            (start, account) = (count, Account())
        }
        hasFollowed = true
        missing = []
        next = max(next, count)
    }

    /// What was missing will not be told any more: the end of the connection tells it.
    mutating func connectionEnded() {
        isFollowing = false
        account.told.end += missing.count
        missing = []
        gaps = []
        lastHeard = -1
    }

    mutating func hear(_ number: Int, _ position: Position) {
        guard number > lastHeard else {
            ledger.trouble = ledger.trouble ?? "\(number) of topic \(topic) came after \(lastHeard)"
            return
        }
        lastHeard = number
        ledger.note(topic, number, position)
        // On its way when the subscription was made: not owed.
        guard number >= next else { return }
        missing += next..<number
        next = number + 1
        account.delivered += 1
    }

    mutating func hear(gap reason: UInt8, _ position: Position, last: UInt64) {
        gaps.append(
            Gap(reason: reason, position: position, last: last, end: ledger.count(of: topic)))
    }
}

// MARK: - The account

extension Following {
    private var allMissing: [Int] { missing + Array(next..<ledger.count(of: topic)) }

    var isSettled: Bool { told(allMissing) != nil }

    /// How each of these was told to be missing; nil when one was not.
    private func told(_ numbers: [Int]) -> ToldSums? {
        var sums = ToldSums()
        var slow = gaps.reduce(0) { $0 + ($1.reason == 4 ? Int($1.last) : 0) }
        for number in numbers {
            let position = ledger.topics[topic][number].position
            if covers(1, number, position) {
                sums.lost += 1
            } else if covers(2, number, position) {
                sums.link += 1
            } else if covers(3, number, position) {
                sums.gone += 1
            } else if slow > 0 {
                slow -= 1
                sums.slow += 1
            } else if position == nil {
                sums.untaken += 1
            } else {
                return nil
            }
        }
        // Who did not read is told exactly how much it missed.
        return slow == 0 ? sums : nil
    }

    private func covers(_ reason: UInt8, _ number: Int, _ position: Position?) -> Bool {
        gaps.contains { gap in
            guard gap.reason == reason, number < gap.end else { return false }
            switch reason {
            case 1:
                guard let position else { return false }
                return position.publisher == gap.position.publisher
                    && position.epoch == gap.position.epoch
                    && gap.position.sequence <= position.sequence && position.sequence <= gap.last
            case 3: return position == nil || position?.publisher == gap.position.publisher
            default: return true
            }
        }
    }

    /// Of a phase that has settled.
    mutating func closeAccount() -> Account {
        let count = ledger.count(of: topic)
        account.told.add(told(allMissing) ?? ToldSums())
        account.owed = count - start
        defer {
            account = Account()
            (start, next, missing, gaps) = (count, count, [], [])
        }
        return account
    }

    var story: String {
        "topic \(topic): \(missing.count) missing, then \(next) of \(ledger.count(of: topic)), "
            + "gaps \(gaps.map { "\($0.reason) \($0.position.sequence)...\($0.last)" }), missing "
            + allMissing.prefix(3).map { number in
                "\(number): \(ledger.topics[topic][number].position.map { "\($0)" } ?? "unknown")"
            }.joined(separator: ", ")
    }
}
