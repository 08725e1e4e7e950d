// The fault matrix as a document: for each call and error, what users see of it.
@testable import Tron

enum FaultDocument {
    static func text(of cells: [FaultCell]) -> String {
        let sections = FaultRow.table.map { row in
            section(row, cells.filter { $0.row.call == row.call })
        }
        let introduction = """
            # What the library does when a system call fails

            Every system call of the library, every error of its manual page, and every place where
            \(FaultScenario.all.count) scenarios make the call: there it fails once, or from there
            on for good. Each of these cells is a run of its own, and in all of them nothing crashes
            and nothing spins; every session, request, dial, drain and piece of work ends exactly
            once; every descriptor is closed and no timer is left; no peer receives other bytes than
            without the fault; and users see one of what the tables say, with the call and the code
            where there is something to tell: which, depends on what the call was made for.

            "For good" of EINTR and EAGAIN, which ask for the call to be repeated, is seven times of
            eight. This file is written by the test that compares it:
            `TRON_REWRITE=1 swift test --filter FaultMatrixTests`.

            """
        return introduction + sections.joined() + exceptions
    }

    private static func section(_ row: FaultRow, _ cells: [FaultCell]) -> String {
        var text = "\n## \(row.call.rawValue): \(row.pages)\n\n"
        text += "| error | once | for good | because |\n| --- | --- | --- | --- |\n"
        for errors in row.errors {
            let own = cells.filter { errors.names.contains($0.errno) }
            // Errors of a group that users see differently have a line each.
            let alike = Dictionary(grouping: errors.names) { name in
                let named = own.filter { $0.errno == name }
                return [false, true].map { summary(named, isForGood: $0) }
            }
            for (seen, names) in alike.sorted(by: { $0.value[0] < $1.value[0] }) {
                text += "| \(names.joined(separator: ", ")) | \(seen[0]) | \(seen[1]) "
                text += "| \(errors.meaning) |\n"
            }
        }
        if row.trapsOnBadDescriptor {
            text += "| EBADF | the program stops | "
            text += "| A descriptor was closed by others: to go on would risk another's bytes. |\n"
        }
        return text
    }

    /// What users saw, the same for each error of a group. How often is left out: the kernel's
    /// buffers, and so the number of calls, differ from machine to machine.
    private static func summary(_ cells: [FaultCell], isForGood: Bool) -> String {
        let cells = cells.filter { $0.spot.isForGood == isForGood }
        let effects = cells.reduce(Set()) { $0.union($1.effects) }.sorted()
        return effects.map { effect in
            guard effect == .unseen, effects.count > 1 else { return effect.rawValue }
            // Where others are told, silence has to be looked at.
            let scenarios = FaultScenario.all.map(\.name).filter { name in
                cells.contains { $0.scenario == name && $0.effects.contains(.unseen) }
            }
            return "\(effect.rawValue) (\(scenarios.joined(separator: ", ")))"
        }.joined(separator: "; ")
    }

    private static var exceptions: String {
        FaultRow.methodsWithoutErrno.sorted { $0.key < $1.key }.reduce(
            "\n## Calls without an errno\n\n"
        ) { $0 + "- `\($1.key)`: \($1.value)\n" }
    }
}
