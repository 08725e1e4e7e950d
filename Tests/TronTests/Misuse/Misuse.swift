// One way to misuse the library, and what ends the process then.

@testable import Tron

/// What only a mistake in a program does, and the message that has to name it.
struct Misuse: Sendable {
    let name: String
    /// The whole message, with "…" for what differs from run to run.
    let message: String
    let commit: @Sendable () throws -> Void

    init(_ name: String, _ message: String, _ commit: @escaping @Sendable () throws -> Void) {
        self.name = name
        self.message = message
        self.commit = commit
    }

    /// Every misuse that the public API allows.
    static let all = values + limits + options + endings + descriptors

    /// Every call of the public API that belongs to the reactor's thread, made on another.
    static let offLoop = reactorCalls + sessionCalls + groupCalls + endpointCalls

    /// Messages for what no program can bring about through the public API, and why it cannot.
    static let unreachable = [
        // It would take 2^32 timers or elements at the same time.
        "… holds at most … elements",
        // The library itself calls with what holds.
        "a timer without an action",
        "the first nodes hold the ends of all lists",
        "nobody waits under this sequence",
        "a request was admitted beyond the limit",
        // The options are looked at before.
        "a gate admits at least one",
        "1 to 2^30 pending requests",
        // Any address that there is has a text.
        "inet_ntop refused",
    ]

    func isSaid(in text: String) -> Bool {
        message.split(separator: "…").allSatisfy { text.contains($0) }
    }

    static func of(_ name: String, in table: [Misuse]) -> Misuse? {
        table.first { $0.name == name }
    }
}
