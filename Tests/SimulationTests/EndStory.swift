// What the oracle keeps with an end of a connection: all that it has sent, and its session.
import TronTestKit

/// What the oracle keeps with an end.
private final class EndStory {
    var log = WireLog()
    var reader = WireReader()
    /// What a caller of a server behind proxies sends first, and whether it is one.
    var header: ProxyHeader?
    var isProxy = false
    /// Since when the library has it, of one that is no session yet.
    var arrivalSince: Int64?
}

extension End {
    private var story: EndStory {
        if let story = attachment as? EndStory { return story }
        let story = EndStory()
        attachment = story
        return story
    }

    /// What it has sent.
    var log: WireLog {
        get { story.log }
        _modify { yield &story.log }
    }

    /// Takes the packets of that apart.
    var reader: WireReader {
        get { story.reader }
        _modify { yield &story.reader }
    }

    /// What it sends first, of a caller of a server behind proxies.
    var header: ProxyHeader? {
        get { (attachment as? EndStory)?.header }
        set { story.header = newValue }
    }

    /// Whether that is to be believed.
    var isProxy: Bool {
        get { (attachment as? EndStory)?.isProxy ?? false }
        set { story.isProxy = newValue }
    }

    /// Since when the library has it, of one that is no session yet.
    var arrivalSince: Int64? {
        get { (attachment as? EndStory)?.arrivalSince }
        set { story.arrivalSince = newValue }
    }

    /// The session behind it.
    var record: SessionRecord? {
        get { observer as? SessionRecord }
        set { observer = newValue }
    }
}

extension SessionRecord: EndObserver {
    func wasRefused() {
        mustEnd = true
        if end.isHungUp && session.queuedBytes > 0 { run.met(.hungUpWithOutput) }
    }
}
