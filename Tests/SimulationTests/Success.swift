// What has to go well now and then: a run in which nothing ever does would prove little.

/// Something that the library brought about, of the kind that its promises are about.
enum Success: Int, CaseIterable {
    case answered, answeredAfterReconnect, repeatedAndAnswered, waitedAndSent, reconnected
    case gaveUp, connectTimedOut, connectedByName, unresolved
    case drainClosedAll, owedWasAnswered, repliedLater, drainsOverlapped
    case blockedAndWentOn, writableAgain, filled, sentThroughWhole, sentThroughInPart
    case forwarded, forwardedElsewhere
    case closureInterrupted, closureOverran, closureThrew
    case resumed, pacedByRate, halfClosedAndSent
    case endedIdle, endedDead, endedHalfClosed, packetTimedOut, closeTimedOut, overflowed
    case questionAsked, aliveByAnswer, questionDelayed
    case tookBytes, tookFrames, tookLines, tookDelimited, switchedHandlers
    case taskReceived, taskReplied, taskEnded
    case proxiedByLine, proxiedInBinary, proxyNotBelieved, proxyFaulty, proxyLate, proxyEnded
    case groupSent, acceptedAfterRest, eventsTold, drainedAndStopped
    case groupHandedOver, groupDrained, groupReplied, groupBroadcast, groupAddressed
    case meterRead, talkersTold, slowestTold, taskSlept, sleepEnded

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
        case .connectedByName: "client connected by a name"
        case .unresolved: "name not resolved"
        case .drainClosedAll: "drain closed all"
        case .owedWasAnswered: "drain waited for a reply"
        case .repliedLater: "reply given later"
        case .drainsOverlapped: "drains overlapped"
        case .blockedAndWentOn: "write blocked and went on"
        case .writableAgain: "told to be writable again"
        case .filled: "filled while writable"
        case .sentThroughWhole: "large packet sent through whole"
        case .sentThroughInPart: "large packet sent through in part"
        case .forwarded: "packet forwarded from where it came"
        case .forwardedElsewhere: "packet forwarded to another session"
        case .closureInterrupted: "closure interrupted by what it sent"
        case .closureOverran: "closure wrote more than its capacity"
        case .closureThrew: "closure threw"
        case .resumed: "packet delivered after a pause"
        case .pacedByRate: "reading waited for its rate"
        case .halfClosedAndSent: "sent after the peer's end"
        case .endedIdle: "ended idle"
        case .endedDead: "ended dead"
        case .endedHalfClosed: "ended half-closed"
        case .packetTimedOut: "packet timed out"
        case .closeTimedOut: "closing timed out"
        case .overflowed: "ended by overflow"
        case .questionAsked: "sign of life asked for"
        case .aliveByAnswer: "alive by its answer"
        case .questionDelayed: "sign of life asked for, and long under way"
        case .tookBytes: "bytes taken"
        case .tookFrames: "frame of a packet's kind taken"
        case .tookLines: "line taken"
        case .tookDelimited: "frame with a delimiter taken"
        case .switchedHandlers: "handler of another kind took over"
        case .taskReceived: "task received a packet"
        case .taskReplied: "task replied"
        case .taskEnded: "task's end closed its session"
        case .proxiedByLine: "session of a proxy's client, by a line"
        case .proxiedInBinary: "session of a proxy's client, by a binary header"
        case .proxyNotBelieved: "made-up proxy turned away"
        case .proxyFaulty: "faulty proxy header turned away"
        case .proxyLate: "late proxy header turned away"
        case .proxyEnded: "proxy gone before its header"
        case .groupSent: "group sent to two or more"
        case .acceptedAfterRest: "accepted after a rest"
        case .eventsTold: "session's events told"
        case .drainedAndStopped: "reactor drained and stopped"
        case .groupHandedOver: "connection handed to another reactor"
        case .groupDrained: "group drained with sessions"
        case .groupReplied: "reply given from elsewhere in a group"
        case .groupBroadcast: "group's packet to all sent"
        case .groupAddressed: "group's packet to one sent"
        case .meterRead: "meter read"
        case .talkersTold: "meter told of sessions that moved bytes"
        case .slowestTold: "meter told of a slow session"
        case .taskSlept: "task slept its time"
        case .sleepEnded: "task woken before its time"
        }
    }
}
