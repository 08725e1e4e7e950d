// Plays every scenario with every fault at every index, and judges what was told.
import Foundation

@testable import Tron

/// One cell of the matrix: a scenario with one fault, and what came of it.
struct FaultCell {
    let scenario: String
    let row: FaultRow
    let errno: String
    let spot: FaultSpot
    let effects: Set<FaultEffect>
    let breaches: [String]

    var name: String {
        let times = spot.isForGood ? "for good from" : "once at"
        return "\(scenario): \(row.call) \(errno) \(times) \(spot.index)"
    }
}

enum FaultMatrix {
    /// More events in a row without anything done than any harmless order of things brings.
    private static let longestStall = 8

    private static let addressInUse = SystemError(.bind, code: EADDRINUSE)

    /// Plays them all, on as many threads as there are processors, in a process in which nobody
    /// starts another one: until its program is loaded, that has a copy of each descriptor, and
    /// epoll goes on to report those that were closed here.
    /// Where several errors are answered alike, only the first, unless `isWhole`.
    static func cells(isWhole: Bool) -> [FaultCell] {
        let lock = Locked<[[FaultCell]]>(FaultScenario.all.map { _ in [] })
        DispatchQueue.concurrentPerform(iterations: FaultScenario.all.count) { index in
            let cells = play(FaultScenario.all[index], isWhole)
            lock.withLock { $0[index] = cells }
        }
        return lock.withLock { lists in lists.flatMap { $0 } }
    }

    private static func play(_ scenario: FaultScenario, _ isWhole: Bool) -> [FaultCell] {
        let faultless = scenario.play(nil)
        var cells: [FaultCell] = []
        for row in FaultRow.table {
            let count = faultless.kernel.calls[row.call] ?? 0
            for errors in row.errors {
                for (errno, code) in errors.codes.prefix(isWhole ? .max : 1) {
                    for number in 0..<2 * count {
                        let spot = FaultSpot(
                            call: row.call, code: code, index: number / 2 + 1,
                            isForGood: number % 2 == 1)
                        cells.append(play(scenario, row, errors, errno, spot, faultless))
                    }
                }
            }
        }
        return cells
    }

    private static func play(
        _ scenario: FaultScenario, _ row: FaultRow, _ errors: FaultRow.Errors, _ errno: String,
        _ spot: FaultSpot, _ faultless: FaultStage
    ) -> FaultCell {
        let stage = scenario.play(spot)
        let effects = effects(of: stage, row, errors, faultless)
        var breaches = breaches(of: stage, row, faultless)
        for effect in effects.subtracting(errors.effects).sorted() {
            breaches.append("told otherwise: \(effect.rawValue)")
        }
        if !breaches.isEmpty {
            let (now, was) = (stage.ledger.story, faultless.ledger.story)
            breaches += now.filter { !was.contains($0) }.map { "now \($0)" }
            breaches += was.filter { !now.contains($0) }.map { "without the fault \($0)" }
        }
        return FaultCell(
            scenario: scenario.name, row: row, errno: errno, spot: spot, effects: effects,
            breaches: breaches)
    }

    /// What users saw of the fault.
    private static func effects(
        of stage: FaultStage, _ row: FaultRow, _ errors: FaultRow.Errors,
        _ faultless: FaultStage
    ) -> Set<FaultEffect> {
        guard let code = stage.kernel.spot?.code else { return [] }
        var effects: Set<FaultEffect> = []
        for (effect, error) in stage.ledger.told where error.call == row.told && error.code == code
        {
            effects.insert(effect)
        }
        if row.call != .bind, stage.ledger.told.contains(where: { $0.error == addressInUse }) {
            effects.insert(.staleFileStays)
        }
        if stage.counters.exhaustions > 0 { effects.insert(.acceptPauses) }
        if stage.counters.failed > 0 && stage.counters.exhaustions == 0 {
            effects.insert(.acceptFails)
        }
        guard effects.isEmpty else { return effects }
        return stage.ledger.story == faultless.ledger.story ? [.unseen] : [errors.otherwise]
    }

    /// What must hold in every run.
    private static func breaches(
        of stage: FaultStage, _ row: FaultRow, _ faultless: FaultStage
    ) -> [String] {
        var breaches = stage.leftovers.map { "left behind: \($0)" }
        breaches += stage.ledger.brokenPromises.map {
            "not told once: \($0): \(stage.ledger.kept[$0] ?? [])"
        }
        if !stage.kernel.openDescriptors.isEmpty {
            breaches.append("left open: \(stage.kernel.openDescriptors.count) descriptors")
        }
        if stage.kernel.strikes == 0 { breaches.append("the fault did not strike") }
        if stage.kernel.isEndless { breaches.append("endless") }
        let isTransparent = [EINTR, EAGAIN].contains(stage.kernel.spot?.code)
        if !isTransparent && stage.kernel.longestStall > longestStall {
            breaches.append("spins: \(stage.kernel.longestStall) events without progress")
        }
        for (name, bytes) in stage.ledger.streams where name.hasPrefix("peer") {
            let whole = faultless.ledger.streams[name] ?? []
            if !whole.starts(with: bytes) { breaches.append("\(name) received other bytes") }
        }
        let usual = Set(faultless.ledger.told.map(\.error))
        for (effect, error) in stage.ledger.told where !usual.contains(error) {
            let isFault = error.call == row.told && error.code == stage.kernel.spot?.code
            // The other end of the same reactor sees a reset where this one ended.
            let isConsequence =
                [ECONNRESET, EPIPE].contains(error.code) || error == addressInUse
            if !isFault && !isConsequence { breaches.append("\(effect.rawValue): \(error)") }
        }
        return breaches
    }
}
