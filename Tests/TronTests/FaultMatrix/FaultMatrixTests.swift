// The fault matrix: every system call that fails with every error at every place.
import Foundation
import Testing

@testable import Tron

@Suite struct FaultMatrixTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// A cell that fails once has failed. They are played in a process of their own, which prints
    /// what it found.
    @Test func `no fault crashes, leaks, spins, or is told otherwise than the tables say`()
        async throws
    {
        let result = try await #require(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) { FaultReport(FaultMatrix.cells(isWhole: RandomRun.meetsEveryKind)).write() }
        let report = FaultReport(String(decoding: result.standardOutputContent, as: UTF8.self))
        print("faults: \(report.count) cells")
        #expect(report.count > 1000)
        for breach in report.breaches { Issue.record("\(breach)") }
        #expect(report.reached == Set(KernelCall.allCases.map(\.rawValue)))
        if RandomRun.meetsEveryKind { try compare(report.document) }
    }

    private func compare(_ text: String) throws {
        let path = Self.folder.appending(path: "FAULTS.md")
        if ProcessInfo.processInfo.environment["TRON_REWRITE"] != nil {
            try text.write(to: path, atomically: true, encoding: .utf8)
        }
        let committed = try String(contentsOf: path, encoding: .utf8)
        let lines = Set(committed.split(separator: "\n"))
        let news = text.split(separator: "\n").filter { !lines.contains($0) }
        #expect(text == committed, "TRON_REWRITE=1 writes it anew: \(news)")
    }

    @Test func `the table has a row for each method of the kernel`() throws {
        let path = Self.folder.deletingLastPathComponent()
            .appending(path: "Sources/Tron/System/Kernel.swift")
        let source = try String(contentsOf: path, encoding: .utf8)
        let methods = source.matches(of: /\n    package func (\w+)\(/).map { String($0.1) }
        #expect(methods.count > 20)
        let known = FaultRow.table.flatMap(\.methods) + FaultRow.methodsWithoutErrno.keys
        #expect(methods.sorted() == known.sorted())
        #expect(Set(FaultRow.table.map(\.call)) == Set(KernelCall.allCases))
    }
}
