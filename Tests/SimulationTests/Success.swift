// What has to go well now and then: a run in which nothing ever does would prove little.

/// Something that the library brought about, of the kind that its promises are about.
enum Success: Int, CaseIterable {
    case answered, answeredAfterReconnect, repeatedAndAnswered, waitedAndSent, reconnected
    case gaveUp, connectTimedOut
    case drainClosedAll, owedWasAnswered, repliedLater, drainsOverlapped
    case blockedAndWentOn, writableAgain, filled, sentThroughWhole, sentThroughInPart
    case resumed, halfClosedAndSent
    case endedIdle, endedDead, endedHalfClosed, packetTimedOut, closeTimedOut, overflowed
    case questionAsked, aliveByAnswer
    case tookBytes, tookFrames, tookLines, switchedHandlers
    case taskReceived, taskReplied, taskEnded
    case groupSent, acceptedAfterRest, eventsTold, drainedAndStopped

    /// Its name in the table.
    var title: String {
        switch self {
        case .answered: "request answered"
        case .answeredAfterReconnect: "request answered after a reconnect"
        case .repeatedAndAnswered: "request sent again and answered"
        case .waitedAndSent: "request waited and was sent"
        case .reconnected: "client connected again"
        case .gaveUp: "client gave up"
        case .connectTimedOut: "connecting timed out"
        case .drainClosedAll: "drain closed all"
        case .owedWasAnswered: "drain waited for a reply"
        case .repliedLater: "reply given later"
        case .drainsOverlapped: "drains overlapped"
        case .blockedAndWentOn: "write blocked and went on"
        case .writableAgain: "told to be writable again"
        case .filled: "filled while writable"
        case .sentThroughWhole: "large packet sent through whole"
        case .sentThroughInPart: "large packet sent through in part"
        case .resumed: "packet delivered after a pause"
        case .halfClosedAndSent: "sent after the peer's end"
        case .endedIdle: "ended idle"
        case .endedDead: "ended dead"
        case .endedHalfClosed: "ended half-closed"
        case .packetTimedOut: "packet timed out"
        case .closeTimedOut: "closing timed out"
        case .overflowed: "ended by overflow"
        case .questionAsked: "sign of life asked for"
        case .aliveByAnswer: "alive by its answer"
        case .tookBytes: "bytes taken"
        case .tookFrames: "frame of a packet's kind taken"
        case .tookLines: "line taken"
        case .switchedHandlers: "handler of another kind took over"
        case .taskReceived: "task received a packet"
        case .taskReplied: "task replied"
        case .taskEnded: "task's end closed its session"
        case .groupSent: "group sent to two or more"
        case .acceptedAfterRest: "accepted after a rest"
        case .eventsTold: "session's events told"
        case .drainedAndStopped: "reactor drained and stopped"
        }
    }
}
