// The packets between a session and its node, and what nodes tell each other: their layout.
//
// All integers are big-endian. A topic is a byte with its length, 1 to 64, and as many bytes of
// UTF-8. A publisher is the node at which something was published, by its number; who said it is
// the application's matter, and stands in the text.
//
// A session asks, with a sequence that is not negative:
//
//     category 1   topic              subscribes
//              2   topic              unsubscribes
//              3   topic, text        publishes; the text is the rest, at most 4,096 bytes
//              4                      asks which nodes are present
//
// and is answered under the same category and sequence. The first byte is an `Outcome`. Behind it
// stand, for 3: publisher UInt64, epoch UInt64, sequence UInt64, receivers UInt32, the sessions of
// this node that it was queued for; and for 4: count UInt16, and for each node publisher UInt64,
// epoch UInt64, sessions UInt32, and its name behind a byte with its length: at most 1,025 nodes
// and 54,328 bytes. An answer that cannot be queued ends the session.
//
// A session is told, with sequence -1:
//
//     category 16  topic, publisher UInt64, epoch UInt64, sequence UInt64, text   a message
//              17  topic, reason UInt8, publisher UInt64, epoch UInt64,
//                  first UInt64, last UInt64                                      a gap
//              18                                                                 the node drains
//
// The messages of a publisher on a topic have sequences that increase by one; with a greater epoch
// they begin anew, at 1. What is missing is told by a gap, whose reason is a `GapReason`.
import Tron

/// The categories of a session's packets.
enum Category {
    static let subscribe: UInt8 = 1
    static let unsubscribe: UInt8 = 2
    static let publish: UInt8 = 3
    static let presence: UInt8 = 4
    static let message: UInt8 = 16
    static let gap: UInt8 = 17
    static let goodbye: UInt8 = 18
}

/// The first byte of an answer.
enum Outcome: UInt8 {
    /// Done, on this node and at the broker.
    case done = 0
    /// Done on this node alone: there is no link to the broker. What was published is not sent
    /// later; who subscribes will be told of a gap once there is a link.
    case notConnected = 1
    /// Done on this node alone: more waits for the broker than may, or it takes no payload of that
    /// length.
    case congested = 2
    /// Not done: the packet has another layout.
    case malformed = 3
    /// Not done: the session, or the node, has as many topics as it may.
    case tooManyTopics = 4
    /// Not done: the session has not subscribed to the topic.
    case notSubscribed = 5
}

/// Why messages of a topic did not come, or may not come.
enum GapReason: UInt8 {
    /// Those of this publisher and epoch from `first` to `last` were lost on the way, or in what
    /// the publisher had for the broker.
    case lost = 1
    /// This node's link to the broker was lost, and is there again: whatever other nodes published
    /// meanwhile may be missing. The other fields are 0.
    case linkLost = 2
    /// The publisher, whose epoch this is, has ended without a word: what it published last may be
    /// missing. `first` and `last` are 0.
    case publisherGone = 3
    /// This session did not read: `last` messages were not queued for it, and `first` gaps, each of
    /// which may stand for more. The other fields are 0.
    case slow = 4
}

/// What nodes tell each other: the first byte of a payload. Behind it stands, for a message and a
/// loss, the data of the packet; for the others publisher UInt64, epoch UInt64, and for `present`
/// sessions UInt32 and the name.
enum NodeWord {
    static let message: UInt8 = 16
    /// A gap with the reason `lost`: what the publisher itself knows not to have arrived, or not to
    /// have been sent. A node that has all of it tells nobody.
    static let loss: UInt8 = 17
    static let present: UInt8 = 20
    /// A node ends, and has published all that it had.
    static let leaving: UInt8 = 21
}

/// One message among all: which node's, and which of that node's on the topic.
struct Position: Hashable {
    var publisher: UInt64
    var epoch: UInt64
    var sequence: UInt64

    static let length = 24
}

/// A gap without its topic.
struct Gap: Equatable {
    var reason: GapReason
    var publisher: UInt64 = 0
    var epoch: UInt64 = 0
    var first: UInt64 = 0
    var last: UInt64 = 0
}

// MARK: - Writing

extension [UInt8] {
    mutating func append(integer: some FixedWidthInteger & BitwiseCopyable) {
        unsafe Swift.withUnsafeBytes(of: integer.bigEndian) { unsafe append(contentsOf: $0) }
    }

    mutating func append(lengthAnd bytes: [UInt8]) {
        append(UInt8(truncatingIfNeeded: bytes.count))
        append(contentsOf: bytes)
    }

    mutating func append(_ position: Position) {
        append(integer: position.publisher)
        append(integer: position.epoch)
        append(integer: position.sequence)
    }

    /// The data of a message.
    init(message position: Position, on topic: [UInt8], text: RawSpan) {
        self = []
        reserveCapacity(topic.count + Position.length + text.byteCount + 1)
        append(lengthAnd: topic)
        append(position)
        unsafe text.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// The data of a gap.
    init(_ gap: Gap, on topic: [UInt8]) {
        self = []
        append(lengthAnd: topic)
        append(gap.reason.rawValue)
        append(integer: gap.publisher)
        append(integer: gap.epoch)
        append(integer: gap.first)
        append(integer: gap.last)
    }

    /// What a node tells of itself.
    init(presenceOf node: NodeIdentity, sessions: Int) {
        self = []
        append(integer: node.id)
        append(integer: node.epoch)
        append(integer: UInt32(clamping: sessions))
        append(lengthAnd: Array(node.name.utf8))
    }
}

// MARK: - Reading

extension Position {
    init(_ input: inout ByteReader) throws(ByteReaderError) {
        publisher = try input.readInteger()
        epoch = try input.readInteger()
        sequence = try input.readInteger()
    }
}

extension Gap {
    /// Nil where the reason is none.
    init?(_ input: inout ByteReader) throws(ByteReaderError) {
        guard let reason = GapReason(rawValue: try input.readByte()) else { return nil }
        self.reason = reason
        publisher = try input.readInteger()
        epoch = try input.readInteger()
        first = try input.readInteger()
        last = try input.readInteger()
    }
}

/// Who a node is.
struct NodeIdentity: Hashable {
    /// What people call it, and what it keeps through its lives: 1 to 32 ASCII letters, digits,
    /// `-`, `_` and `.`.
    let name: String
    /// The name's number (FNV-1a, 64 bits).
    let id: UInt64
    /// Greater in each of its lives, by more than the streams that a life has.
    let epoch: UInt64

    static let longestName = 32
    /// Bytes of what a node with that name tells of itself: id, epoch, sessions, name.
    static let longestPresence = 8 + 8 + 4 + 1 + longestName

    init?(name: String, epoch: UInt64) {
        let isPlain = name.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 && byte > 0x40
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "-_.".utf8.contains(byte)
        }
        guard isPlain, 1...Self.longestName ~= name.utf8.count else { return nil }
        self.name = name
        self.epoch = epoch
        id = name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
