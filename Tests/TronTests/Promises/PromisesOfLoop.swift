// What the documentation of the reactor, its timers and its limits promises.

extension PromisedPlace {
    static let loop = [
        PromisedPlace(
            "Sources/Tron/Loop/Reactor.swift",
            [
                Promise(
                    401, "Until then it belongs to the thread that made it",
                    by: "MisuseTests: what is called on another thread"),
                Promise(
                    402, "all that it had is closed",
                    by: "ReactorTests: a reactor that never ran closes",
                    "TurnOrderTests: a reactor that stops releases everything"),
                Promise(
                    403, "Runs the loop on the calling thread",
                    by: "ReactorTests: a stop from another thread",
                    "UserTimerTests: a timer that stops the loop"),
                Promise(
                    404, "Before it returns, accepted submitted work is run",
                    by: "StopTests: work that is accepted while",
                    "SessionLifeTests: a stopped reactor ends its sessions",
                    "UserTimerTests: timers that are left at the stop",
                    simulation: "submitted pieces of work never ran"),
                Promise(
                    405, "cannot run again", by: "ReactorTests: work is refused when too much waits"
                ),
                Promise(
                    406, "which no defined use brings about",

                    by: "FaultMatrixTests: no fault crashes", simulation: "the loop has ended"),
                Promise(
                    408, "Has `work` run on the loop later in this turn",
                    by: "TurnOrderTests: a turn is events, timers"),
            ]),
        PromisedPlace(
            "Sources/Tron/Loop/ReactorExecutor.swift",
            [
                Promise(
                    409, "What is enqueued after it has stopped",
                    by: "ReactorExecutorTests: what is enqueued after",
                    "ReactorExecutorTests: tasks that are under way",
                    "ReactorExecutorTests: an actor on a reactor that stops",
                    "ReactorExecutorTests: a task that goes on and on"),
                Promise(410, "Traps unless", by: "MisuseTests: misuse ends the process"),
                Promise(
                    411, "does not leave the thread",
                    by: "ReactorExecutorTests: a task on the executor stays"),
            ]),
        PromisedPlace(
            "Sources/Tron/Loop/ReactorLimits.swift",
            [
                Promise(
                    407, "The most memory, in bytes",
                    by: "ClientMemoryTests: a thousand clients take",
                    "ServerMemoryTests: many sessions that are full",
                    simulation: "the buffers take"),
                Promise(
                    1044, "before it sleeps, after each turn", "it sleeps at once",
                    "takes the processor for as long after every turn",
                    by: "SpinTests: without a spin the loop sleeps",
                    "SpinTests: a loop that spins looks for so long",
                    "SpinTests: an event ends the spin"),
                Promise(
                    412, "What one turn of a reactor does at most",
                    "The bounds of a turn keep any peer",
                    by: "TurnOrderTests: a phase with much to do",
                    "TurnOrderTests: the output phase flushes no more",
                    "ReactorTests: a session that never runs dry"),
                Promise(
                    413, "Bytes a session reads a turn.",
                    by: "ReactorTests: a session that never runs dry",
                    "ReactorTests: also behind a half-received packet"),
                Promise(
                    414, "Timers that fire a turn.", "Pieces of submitted work that run a turn",
                    by: "ReactorTests: each phase does no more",
                    "TurnOrderTests: calls that are owed wait"),
                Promise(
                    415, "may wait, or have not run yet",
                    by: "WaitingWorkTests: pieces that the loop",
                    "WaitingWorkTests: work that submits work"),
                Promise(
                    416, "Sessions that are flushed a turn",
                    by: "TurnOrderTests: the output phase flushes no more",
                    "SessionSendTests: a turn's packets leave in one"),
                Promise(
                    417, "that are released a turn",
                    by: "TurnOrderTests: the release phase releases no more"),
                Promise(
                    418, "Bytes of idle buffers kept", by: "BufferPoolTests: no more is kept"),
                Promise(
                    419, "Default 256 KiB", "Default 1,024", "Default 65,536", "Default 32 MiB",
                    "Default 1 s",
                    by: "DefaultsTests: a reactor's limits"),
            ]),
        PromisedPlace(
            "Sources/Tron/Loop/RemoteReactor.swift",
            [
                Promise(
                    420, "It runs on the loop, before", "Work accepted before the reactor stops",
                    by: "StopTests: work that is accepted while",
                    "WaitingWorkTests: all that was accepted",
                    simulation: "submitted pieces of work never ran"),
                Promise(
                    421, "It keeps nothing alive but itself",
                    by: "RemoteReactorTests: who holds it holds no reactor"),
                Promise(
                    422, "in the order of submission",
                    by: "ReactorTests: work from four threads runs once"),
                Promise(
                    423, "May be called on any thread",
                    by: "RemoteReactorTests: calls from another thread return",
                    "ReactorTests: a stop from another thread"),
            ]),
        PromisedPlace(
            "Sources/Tron/Loop/RemoteSleep.swift",
            [
                Promise(
                    1342, "never less, and as little more", "Zero or less is over in the next",
                    by: "RemoteSleepTests: a wait is never shorter",
                    "RemoteSleepTests: waits end in the order",
                    simulation: "a task slept"),
                Promise(
                    1343, "stays on its thread meanwhile", "From any task and any thread",
                    by: "RemoteSleepTests: a wait is never shorter",
                    "RemoteSleepTests: any task may wait"),
                Promise(
                    1344, "as soon as the task is cancelled",
                    by: "RemoteSleepTests: a cancelled task waits no longer",
                    "RemoteSleepTests: any task may wait",
                    simulation: "was woken by nobody"),
                Promise(
                    1345, "as soon as the reactor stops",
                    by: "RemoteSleepTests: a reactor that stops ends"),
            ]),
        PromisedPlace(
            "Sources/Tron/Loop/SoonCalls.swift",
            [
                Promise(
                    424, "in the next work phase", "Calls are made in the order",
                    by: "CallSoonTests: calls are made in order",
                    "CallSoonTests: what was asked for is called before",
                    simulation: "calls are made in another order"),
                Promise(
                    425, "However many were asked for", by: "CallSoonTests: a turn makes as many"),
                Promise(
                    426, "when the reactor has stopped",
                    by: "CallSoonTests: what was asked for is called before"),
            ]),
        PromisedPlace(
            "Sources/Tron/Loop/Uptime.swift",
            [
                Promise(
                    427, "Each access reads the clock", "on the monotonic clock",
                    by: "UptimeTests: the time a handler takes")
            ]),
        PromisedPlace(
            "Sources/Tron/Loop/UserTimers.swift",
            [
                Promise(
                    428, "not made any more, also when it has come due", "nothing to take back",
                    by: "UserTimerTests: a cancelled timer is not called",
                    "UserTimerTests: a timer that was called cannot",
                    simulation: "rang after its end"
                ),
                Promise(
                    429, "once `delay` has passed: never before",
                    by: "UserTimerTests: a timer is never early"),
                Promise(
                    430, "in step with the first call",
                    by: "UserTimerTests: a repeating timer keeps in step",
                    "UserTimerTests: intervals that were missed"),
                Promise(
                    431, "A delay of zero or less", by: "UserTimerTests: a delay of nothing is due",
                    "UserTimerTests: negative and endless"),
                Promise(
                    432, "those that are left are dropped",
                    by: "UserTimerTests: timers that are left at the stop"),
            ]),
    ]

    static let signals = [
        PromisedPlace(
            "Sources/Tron/Loop/SignalSource.swift",
            [
                Promise(
                    441, "Calls `action` on the loop whenever",
                    by: "SignalTests: signals arrive on the loop"),
                Promise(
                    442, "Another call adds signals, or replaces",
                    by: "SignalTests: an action can be replaced"),
                Promise(
                    443, "Any thread may run the loop",
                    by: "SignalTests: a signal wakes a loop",
                    "AsyncMainSignalTests: SIGTERM drains the server"),
                Promise(444, "No signal is blocked.", by: "SignalTests: no signal is blocked, and"),
                Promise(
                    445, "A signal that arrives several times",
                    by: "SignalTests: several of a signal before"),
                Promise(
                    446, "Several reactors may watch", by: "SignalTests: every reactor that watches"
                ),
                Promise(
                    447, "is not called meanwhile", "When the last reactor that watches",
                    by: "SignalTests: what a signal did before is put back",
                    "SignalTests: a handler that has replaced",
                    "SignalTests: no signal is lost while reactors come"),
                Promise(
                    448, "What arrives before the loop ends",
                    by: "SignalTests: a signal that arrives before the loop ends",
                    simulation: "the loop has ended over signals"),
                Promise(
                    449, "raises again what arrived for it",
                    by: "SignalTests: a signal that no loop was there"),
                Promise(
                    450, "is restarted, but for those",
                    by: "SignalTests: a call that a signal interrupts"),
                Promise(
                    451, "begins with the default actions",
                    by: "SignalTests: a program that is started"),
                Promise(
                    452, "In a child of `fork`", by: "SignalTests: a signal to a forked child"),
                Promise(
                    453, "SIGPIPE needs no handling",
                    by: "SessionLifeTests: writing to a peer that is gone"),
                Promise(
                    454, "with the code `EUSERS`", "The signals named before the refused one",
                    by: "SignalTests: as many reactors as there are places",
                    "SignalTests: a signal that cannot be watched",
                    "FaultMatrixTests: no fault crashes"),
            ])
    ]
}
