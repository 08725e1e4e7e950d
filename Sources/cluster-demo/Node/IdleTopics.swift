// The topics that may be forgotten, in the order in which they became so.

/// The idle topics of a node, of which the one that has been idle for the longest goes first when
/// another topic needs its room. Each step is constant, however many there are.
///
/// They are linked through the topics themselves. The links own nothing, so that a long list is not
/// released by a deep recursion: the node's dictionary has every topic that is in here.
///
/// Invariant: a topic's `idlePlace` says whether it is in here; where it is not, there are no
/// neighbours.
struct IdleTopics {
    private unowned var first: Topic?
    private unowned var last: Topic?
    private(set) var count = 0

    /// The one that has been idle for the longest.
    var oldest: Topic? { first }

    /// Has the list agree with what the topic is now.
    mutating func update(_ topic: Topic) {
        if topic.isIdle == topic.idlePlace.isListed { return }
        if topic.isIdle { append(topic) } else { remove(topic) }
    }

    private mutating func append(_ topic: Topic) {
        topic.idlePlace = IdlePlace(isListed: true, previous: last)
        if let last { last.idlePlace.next = topic } else { first = topic }
        last = topic
        count += 1
    }

    mutating func remove(_ topic: Topic) {
        guard topic.idlePlace.isListed else { return }
        let (previous, next) = (topic.idlePlace.previous, topic.idlePlace.next)
        if let previous { previous.idlePlace.next = next } else { first = next }
        if let next { next.idlePlace.previous = previous } else { last = previous }
        topic.idlePlace = IdlePlace()
        count -= 1
    }
}

/// Where a topic stands among the idle ones.
struct IdlePlace {
    fileprivate(set) var isListed = false
    fileprivate unowned var previous: Topic?
    fileprivate unowned var next: Topic?

    init() {}

    fileprivate init(isListed: Bool, previous: Topic?) {
        self.isListed = isListed
        self.previous = previous
    }
}
