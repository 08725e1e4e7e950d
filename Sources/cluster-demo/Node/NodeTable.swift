// The other nodes, as they tell of themselves. Pure: reads no clock.

/// What is known of another node.
struct NodeRecord: Equatable {
    let name: String
    let epoch: UInt64
    var sessions: UInt32
    /// When it last told of itself.
    var heard: Duration
}

/// The nodes that are present. A node is told anew every few seconds, and gone when it is not.
struct NodeTable {
    /// Nodes that are kept track of: 1,024, some hundred bytes each. Further ones are not.
    static let capacity = 1024

    private(set) var records: [UInt64: NodeRecord] = [:]

    /// What a word of a node means.
    enum Change: Equatable {
        case none
        case appeared
        /// It lives again, and its former life ended without a word.
        case returned(formerEpoch: UInt64)
    }

    /// A node has told of itself. A word of an earlier life is late, and nothing.
    mutating func hear(_ id: UInt64, _ record: NodeRecord) -> Change {
        guard let known = records[id] else {
            guard records.count < Self.capacity else { return .none }
            records[id] = record
            return .appeared
        }
        guard record.epoch >= known.epoch else { return .none }
        records[id] = record
        return record.epoch > known.epoch ? .returned(formerEpoch: known.epoch) : .none
    }

    /// A node has said that it leaves. False where that is not known, or was said by an earlier
    /// life.
    mutating func leave(_ id: UInt64, epoch: UInt64) -> Bool {
        guard let known = records[id], known.epoch <= epoch else { return false }
        records[id] = nil
        return true
    }

    /// Takes out those that nobody has heard of since `time`.
    mutating func takeSilent(since time: Duration) -> [UInt64: NodeRecord] {
        let silent = records.filter { $0.value.heard < time }
        for id in silent.keys { records[id] = nil }
        return silent
    }
}
