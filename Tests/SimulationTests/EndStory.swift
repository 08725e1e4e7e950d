// What the oracle keeps with an end of a connection: all that it has sent, and its session.
import TronTestKit

/// What the oracle keeps with an end.
private final class EndStory {
    var log = WireLog()
    var reader = WireReader()
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

    /// The session behind it.
    var record: SessionRecord? {
        get { observer as? SessionRecord }
        set { observer = newValue }
    }
}

extension SessionRecord: EndObserver {
    func wasRefused() { mustEnd = true }
}
