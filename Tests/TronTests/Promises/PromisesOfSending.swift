// What the documentation of sending promises: replies, closures, groups, tasks and drains included.

extension PromisedPlace {
    static let sending = [
        PromisedPlace(
            "Sources/Tron/Sessions/AsyncSession.swift",
            [
                Promise(
                    602, "Only that task can use it",
                    by: "EscapeTests: what a session's task is given"),
                Promise(
                    603, "Received packets wait here only until",
                    by: "SessionTaskTests: what waits for the task is bounded",
                    "SessionTaskTests: while nobody takes"),
                Promise(
                    604, "Once it has ended, and so its iteration",
                    by: "SessionLifeTests: a closed session answers",
                    "SessionTaskEndTests: nothing is left of a session"),
                Promise(
                    605, "in order, each with data of its own",
                    "All iterators share the one stream",
                    by: "SessionTaskTests: packets come in order",
                    "SessionTaskTests: a second loop goes on"),
                Promise(
                    606, "its reason is thrown, after the packets",
                    by: "SessionTaskEndTests: an end in the middle of a packet",
                    "SessionTaskCancelTests: what waits for a task that is cancelled"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/ReplyAddress.swift",
            [
                Promise(
                    607, "it never names another",
                    by: "ReactorServersTests: a session's name never names",
                    "OwedReplyTests: when the session can give no reply"),
                Promise(
                    608, "on the session owes one reply", "and no longer owed",
                    "it was given or refused before",
                    by: "OwedReplyTests: a reply is owed until it is given",
                    "OwedReplyTests: a packet has one address",
                    simulation: "a request was answered twice"),
                Promise(
                    609, "the session is closing or closed, and owes nothing",
                    "One that takes no packets any more owes nothing",
                    by: "OwedReplyTests: when the session can give no reply",
                    "OwedReplyTests: who asks for an address while closing"),
                Promise(
                    610, "and still owed", by: "OwedReplyTests: a reply that is too large",
                    "SessionEncodingTests: a handler's closure answers in place",
                    simulation: "a reply that is owed was refused"),
                Promise(
                    611, "answers by it, also at once, or refuses",
                    by: "OwedReplyLimitTests: who answers at once"),
                Promise(
                    612, "it does not read",
                    by: "OwedReplyLimitTests: at the limit reading pauses"),
                Promise(
                    613, "When the peer ends its stream, the session stays",
                    by: "ReplyRoomTests: who has ended its stream still gets",
                    "ReplyRoomTests: who has ended its stream and is never"),
                Promise(
                    614, "nothing is sent, and nothing is owed any more",
                    by: "OwedReplyTests: a refused reply is owed no more"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SendOutcome.swift",
            [
                Promise(
                    601, "Why an awaited send took nothing", "or more bytes than may ever wait",
                    by: "SessionTaskSendTests: what can never be sent",
                    "SessionTaskSendTests: a send that waits ends"),
                Promise(
                    615, "It is taken whole or not at all",
                    by: "SessionSendTests: whatever the kernel takes of each",
                    "SessionEncodingTests: random sends through closures",
                    simulation: "sent what it refused"),
                Promise(
                    616, "It is lost only if the session ends",
                    by: "LostOutputTests: what is queued is lost only",
                    "DocumentationTests: a reason that drops",
                    simulation: "packets that it took were not sent"),
                Promise(
                    617, "Refused, which only what a closure writes can be",
                    by: "UnfinishedDraftTests: nothing is sent of a closure",
                    "NestedSendTests: what is queued two closures deep",
                    simulation: "refused as only a closure is refused"),
                Promise(
                    618, "The session is unharmed",
                    by: "SessionSendTests: a packet that is too large",
                    "SessionSendTests: with the refusing policy"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionDrain.swift",
            [
                Promise(
                    619, "when a drain of the server reaches this session",
                    by: "DrainHandlerTests: the handler says goodbye",
                    "DrainHandlerTests: the handler may do anything",
                    simulation: "was told of a drain twice"),
                Promise(
                    620, "From then on nothing more is delivered",
                    by: "DrainDebtTests: what no handler has seen",
                    simulation: "was drained"),
                Promise(
                    621, "with the last reply that it owes, or right after",
                    by: "DrainDebtTests: a session that owes is closed",
                    "SessionTaskEndTests: a gentle end does not wait",
                    simulation: "was drained, owes nothing and stays"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionEncoding.swift",
            [
                Promise(
                    622, "The data is what was written",
                    by: "SessionEncodingTests: packets and bytes leave",
                    "SessionEncodingTests: random sends through closures"),
                Promise(
                    623, "The packet is queued whole or not at all",
                    "throws: the error is thrown on",
                    "writes more than", "has something else queued",
                    "closes or aborts this session",
                    by: "UnfinishedDraftTests: nothing is sent of a closure"),
                Promise(
                    624, "has to be within the limits",
                    by: "SessionEncodingTests: a capacity beyond the limits"),
                Promise(
                    625, "The bytes that were queued before",
                    by: "SessionEncodingTests: random sends through closures",
                    "OutboundTests: random operations agree"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionGroup.swift",
            [
                Promise(
                    626, "It leaves them by itself", by: "SessionGroupTests: a member leaves when"),
                Promise(
                    627, "A group keeps no session alive",
                    by: "SessionGroupTests: a group that is released"),
                Promise(
                    628, "Traps on a session of another", by: "MisuseTests: misuse ends the process"
                ),
                Promise(
                    629, "those who join meanwhile are not visited",
                    by: "SessionGroupTests: those who leave while"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionGroupSending.swift",
            [
                Promise(
                    630, "Each member takes it as by",
                    by: "SessionGroupTests: a member that does not read",
                    "SessionGroupTests: every member but the one left out"),
                Promise(
                    631, "How many members of a group met which outcome",
                    by: "SessionGroupTests: the outcomes of a send add up",
                    "SessionGroupTests: random joins, departures"),
                Promise(
                    1090, "with each member that did not take it and why",
                    by: "SessionGroupTests: who did not take a packet is told of"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionSending.swift",
            [
                Promise(
                    632, "It never blocks; the packet is taken whole",
                    by: "SessionSendTests: whatever the kernel takes of each",
                    "SessionSendTests: with the refusing policy"),
                Promise(
                    633, "Before one is refused for want of room",
                    by: "OfferedOutputTests: a send beyond the limit",
                    "OfferedOutputTests: only what the kernel did not take"),
            ]),
        PromisedPlace(
            "Sources/Tron/Sessions/SessionTask.swift",
            [
                Promise(
                    634, "wait while the task is at a packet",
                    "the session closes, and sends throw",
                    by: "SessionTaskEndTests: a gentle end waits",
                    "SessionTaskEndTests: a gentle end does not wait"),
                Promise(
                    635, "However `body` ends",
                    by: "SessionTaskEndTests: a body that returns or throws"),
                Promise(
                    636, "does the same at once; iteration and a send that waits",
                    by: "SessionTaskCancelTests: a task that is cancelled while it iterates",
                    "SessionTaskCancelTests: a task may be cancelled on another"),
                Promise(
                    637, "Once the session has ended, iteration ends or throws",
                    by: "SessionTaskEndTests: an abort is thrown",
                    "SessionTaskEndTests: the reactor's stop ends the task"),
                Promise(
                    638, "it traps the second time", by: "MisuseTests: misuse ends the process"),
            ]),
    ]
}
