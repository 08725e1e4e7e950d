// What a closure is writing that is not queued yet.

/// What a closure is writing: it is queued whole, or dropped. Of drafts within each other's
/// closures this is the innermost; the others lie aside or are dropped.
enum Draft: UInt8 {
    case none
    /// It lies in the ring's block, behind the tail.
    case inPlace
    /// It lies in a block of its own, from its beginning or since something else was to be queued.
    case aside
    /// It is to be dropped: something else was queued meanwhile.
    case dropped
}

/// Where a draft is written, and what is restored after it.
@unsafe
struct DraftRoom {
    let start: UnsafeMutableRawPointer
    let block: Block
    let credit: Int32
    /// The draft within whose closure this one was begun.
    let outer: Draft
}
