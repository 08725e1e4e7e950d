// A topic as a node knows it: who here listens, what this node published, what others did.
import Tron

/// A topic. It belongs to the reactor's thread, and to a node at least as long as it has a
/// subscriber here or the broker has not confirmed all that was published.
final class Topic {
    /// Its UTF-8.
    let name: [UInt8]
    /// Its subject at the broker.
    let subject: [UInt8]
    /// The number of its subscription at the broker; nil while nobody here has subscribed.
    var subscription: Int?
    /// Subscribers here that are sent what comes.
    let group: SessionGroup
    /// All subscribers here, those who are behind included.
    var subscriberCount = 0
    /// What the group was sent so far. Whoever is behind counts from here what it misses.
    var sent = Sent()
    var outgoing: OutgoingStream
    /// What others published, by publisher.
    var incoming: [UInt64: IncomingStream] = [:]
    /// Where it stands in the node's `IdleTopics`, which alone changes it.
    var idlePlace = IdlePlace()

    /// How many messages and gaps.
    struct Sent: Equatable {
        var messages: UInt64 = 0
        var gaps: UInt64 = 0
    }

    init(_ name: [UInt8], subjects prefix: String, group: SessionGroup, epoch: UInt64) {
        self.name = name
        subject = Subject.topic(name, under: prefix)
        self.group = group
        outgoing = OutgoingStream(epoch: epoch)
    }

    /// Whether nothing is lost when it is forgotten: the next life of its stream has a new epoch.
    var isIdle: Bool { subscriberCount == 0 && outgoing.isConfirmed }
}

/// What this node published on a topic.
///
/// Invariant: confirmed ≤ asked ≤ last.
struct OutgoingStream: Equatable {
    let epoch: UInt64
    /// The sequence of the last message.
    private(set) var last: UInt64 = 0
    /// Up to here the broker has dealt with it.
    private(set) var confirmed: UInt64 = 0
    /// Up to here the broker has been asked whether it has.
    private var asked: UInt64 = 0
    /// Its place among those of which others are to be told a loss: some of it did not reach the
    /// broker, or may not have.
    var lossPlace: Int?
    /// Whether it waits in the node's list of what the broker is to be asked for.
    var isListed = false

    init(epoch: UInt64) { self.epoch = epoch }

    var isConfirmed: Bool { confirmed == last }

    var hasLoss: Bool { lossPlace != nil }

    mutating func next() -> UInt64 {
        last += 1
        return last
    }

    mutating func ask() { asked = last }

    mutating func confirm() { confirmed = asked }
}

/// What has come of a publisher's messages on a topic. Pure: what is to be delivered, and what to
/// be told, follows from the sequences alone.
struct IncomingStream: Equatable {
    private(set) var epoch: UInt64
    private(set) var last: UInt64

    /// What a message is.
    enum Step: Equatable {
        /// The next one.
        case next
        /// One that follows a hole: the sequences of it, which will not be delivered any more.
        case afterHole(ClosedRange<UInt64>)
        /// One that was delivered, or was told as lost.
        case late
    }

    /// Begins with the first that is heard of.
    init(_ position: Position) {
        epoch = position.epoch
        last = position.sequence
    }

    mutating func take(_ position: Position) -> Step {
        if position.epoch < epoch || position.epoch == epoch && position.sequence <= last {
            return .late
        }
        // A new epoch begins at 1, and who has heard of the old one is to hear all of it.
        let expected = position.epoch == epoch ? last + 1 : 1
        (epoch, last) = (position.epoch, position.sequence)
        return position.sequence > expected
            ? .afterHole(expected...position.sequence - 1) : .next
    }

    /// The publisher says that some may be lost: those of them that have not come.
    mutating func takeLoss(_ loss: Gap) -> ClosedRange<UInt64>? {
        if loss.epoch < epoch || loss.epoch == epoch && loss.last <= last { return nil }
        let missing = loss.epoch == epoch ? last + 1 : 1
        (epoch, last) = (loss.epoch, loss.last)
        return missing...loss.last
    }
}

/// Names at the broker.
enum Subject {
    /// A topic's: bytes that a subject may not have, or that mean something there, are written as
    /// `=` and two digits. At most three times as long as the topic, and far below the server's
    /// 4 KiB for a line.
    static func topic(_ name: [UInt8], under prefix: String) -> [UInt8] {
        var subject = Array("\(prefix).t.".utf8)
        for byte in name {
            if isPlain(byte) {
                subject.append(byte)
            } else {
                subject += [UInt8(ascii: "="), digit(byte >> 4), digit(byte & 15)]
            }
        }
        return subject
    }

    /// What all nodes hear.
    static func nodes(under prefix: String) -> [UInt8] { Array("\(prefix).nodes".utf8) }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
