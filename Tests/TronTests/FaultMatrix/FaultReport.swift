// What the fault matrix found, on its way from the process that plays it to the test.

/// Each line of it goes behind a word that says what it is.
struct FaultReport {
    private(set) var count = 0
    private(set) var breaches: [String] = []
    /// The calls that scenarios make.
    private(set) var reached: Set<String> = []
    private(set) var document = ""

    init(_ cells: [FaultCell]) {
        count = cells.count
        reached = Set(cells.map(\.row.call.rawValue))
        document = FaultDocument.text(of: cells)
        // One example of each kind of breach is enough.
        let breached = Dictionary(grouping: cells.filter { !$0.breaches.isEmpty }) { cell in
            "\(cell.row.call) \(cell.spot.isForGood) \(cell.breaches[0])"
        }
        breaches = breached.sorted { $0.key < $1.key }.map { _, alike in
            "\(alike[0].name) and \(alike.count - 1) more: \(alike[0].breaches)"
        }
    }

    func write() {
        print("cells|\(count)")
        for breach in breaches { print("breach|\(breach)") }
        for call in reached { print("reached|\(call)") }
        for line in document.split(separator: "\n", omittingEmptySubsequences: false) {
            print("document|\(line)")
        }
    }

    /// Reads what was written, and whatever else the process printed.
    init(_ output: String) {
        var lines: [Substring] = []
        for line in output.split(separator: "\n") {
            let parts = line.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "cells": count = Int(parts[1]) ?? 0
            case "breach": breaches.append(String(parts[1]))
            case "reached": reached.insert(String(parts[1]))
            case "document": lines.append(parts[1])
            default: break
            }
        }
        document = lines.joined(separator: "\n")
    }
}
