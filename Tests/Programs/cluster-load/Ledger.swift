// What was published, as its publishers know it; and the sums.
import Tron

/// A message among all: the node's number, the epoch, the sequence.
struct Position: Hashable {
    var publisher: UInt64
    var epoch: UInt64
    var sequence: UInt64

    init?(_ input: inout ByteReader) {
        guard let publisher = try? input.readInteger(as: UInt64.self),
            let epoch = try? input.readInteger(as: UInt64.self),
            let sequence = try? input.readInteger(as: UInt64.self)
        else { return nil }
        self.publisher = publisher
        self.epoch = epoch
        self.sequence = sequence
    }
}

/// All messages of all topics, by their numbers.
final class Ledger {
    struct Record {
        /// From the answer, or from whoever heard it; nil as long as nobody knows.
        var position: Position?
    }

    private(set) var topics: [[Record]]
    /// Of the phase.
    private(set) var sums = Sums()
    /// The first thing that must not be.
    var trouble: String?

    init(topics count: Int) { topics = Array(repeating: [], count: count) }

    func count(of topic: Int) -> Int { topics[topic].count }

    func beginPhase() { sums = Sums() }

    func publish(on topic: Int) -> Int {
        sums.published += 1
        topics[topic].append(Record())
        return topics[topic].count - 1
    }

    /// The node has answered.
    func answered(_ topic: Int, _ number: Int, outcome: UInt8, _ position: Position) {
        switch outcome {
        case 0: sums.done += 1
        case 1: sums.notConnected += 1
        case 2: sums.congested += 1
        default: trouble = trouble ?? "a message was answered with \(outcome)"
        }
        note(topic, number, position)
    }

    /// The connection was lost before the answer: the publisher knows that it does not know.
    func unanswered() { sums.unknown += 1 }

    /// All who know a message's position know the same.
    func note(_ topic: Int, _ number: Int, _ position: Position) {
        if let known = topics[topic][number].position, known != position {
            trouble = trouble ?? "message \(number) of \(topic) is \(known) and \(position)"
        }
        topics[topic][number].position = position
    }
}

/// What subscribers were told to be missing, by how they were told.
struct ToldSums {
    /// By its sequence.
    var lost = 0
    /// Their node's link to the broker was lost.
    var link = 0
    /// The publisher's node is gone.
    var gone = 0
    /// They did not read.
    var slow = 0
    /// Their own connection ended.
    var end = 0
    /// Of a message that its publisher knows not to have been taken, perhaps, and nobody heard.
    var untaken = 0

    var total: Int { lost + link + gone + slow + end + untaken }

    mutating func add(_ other: ToldSums) {
        lost += other.lost
        link += other.link
        gone += other.gone
        slow += other.slow
        end += other.end
        untaken += other.untaken
    }
}

struct Sums: CustomStringConvertible {
    var published = 0
    var done = 0
    var notConnected = 0
    var congested = 0
    var unknown = 0
    /// Of all subscribers, the messages of their topics.
    var owed = 0
    var delivered = 0
    var told = ToldSums()

    mutating func add(_ account: Account) {
        owed += account.owed
        delivered += account.delivered
        told.add(account.told)
    }

    var description: String {
        "published \(published) (done \(done), not connected \(notConnected), congested "
            + "\(congested), unknown \(unknown)); owed \(owed) = delivered \(delivered) + told "
            + "\(told.total) (lost \(told.lost), link \(told.link), gone \(told.gone), slow "
            + "\(told.slow), own connection \(told.end), not taken \(told.untaken))"
    }
}

/// What a subscriber was owed, and what became of it.
struct Account {
    var owed = 0
    var delivered = 0
    var told = ToldSums()
}
