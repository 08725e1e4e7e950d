// A node's pure parts: streams and their holes, subjects, names, the table of nodes.
import Testing
import Tron

@testable import cluster_demo

@Suite struct NodePartsTests {
    private static func position(_ epoch: UInt64, _ sequence: UInt64) -> Position {
        Position(publisher: 1, epoch: epoch, sequence: sequence)
    }

    @Test(
        arguments: [
            (5, 8, .next), (5, 7, .late), (5, 1, .late), (5, 9, .afterHole(8...8)),
            (5, 20, .afterHole(8...19)), (4, 100, .late), (6, 1, .next), (6, 3, .afterHole(1...2)),
            (6, 0, .next), (5, .max, .afterHole(8...UInt64.max - 1)),
        ] as [(UInt64, UInt64, IncomingStream.Step)])
    func `behind message 7 of epoch 5 a message is next, late, or shows a hole`(
        epoch: UInt64, sequence: UInt64, step: IncomingStream.Step
    ) {
        var stream = IncomingStream(Self.position(5, 7))
        #expect(stream.take(Self.position(epoch, sequence)) == step)
        // What was taken, or is late, is late from then on.
        #expect(stream.take(Self.position(epoch, sequence)) == .late)
    }

    @Test(
        arguments: [
            (5, 8, 9, 8...9), (5, 3, 7, nil), (5, 3, 9, 8...9), (5, 9, 9, 8...9), (4, 1, 100, nil),
            (6, 1, 2, 1...2), (6, 2, 2, 1...2), (5, 1, .max, 8...UInt64.max),
        ] as [(UInt64, UInt64, UInt64, ClosedRange<UInt64>?)])
    func `behind message 7 of epoch 5 a loss means what has not come`(
        epoch: UInt64, first: UInt64, last: UInt64, missing: ClosedRange<UInt64>?
    ) {
        var stream = IncomingStream(Self.position(5, 7))
        let loss = Gap(reason: .lost, publisher: 1, epoch: epoch, first: first, last: last)
        #expect(stream.takeLoss(loss) == missing)
        #expect(stream.takeLoss(loss) == nil)
    }

    @Test func `no topic's subject has a byte that means something to the broker`() {
        let every = (0...255).map { UInt8($0) }
        let subject = Subject.topic(every, under: "p")
        #expect(subject.starts(with: "p.t.".utf8))
        #expect(!subject.dropFirst(4).contains { ". *>\t\r\n\0".utf8.contains($0) })
        #expect(Set(every.map { Subject.topic([$0], under: "p") }).count == 256)
        #expect(
            String(decoding: Subject.topic(Array("a.B=é".utf8), under: "p"), as: UTF8.self)
                == "p.t.a=2eB=3d=c3=a9")
    }

    @Test func `a node's name is plain, and its number stays the same`() throws {
        for name in ["a", "node-1", "A.b_9", String(repeating: "x", count: 32)] {
            #expect(NodeIdentity(name: name, epoch: 1)?.name == name)
        }
        for name in ["", "a b", "a\"", "ä", "[", "`", "@", String(repeating: "x", count: 33)] {
            #expect(NodeIdentity(name: name, epoch: 1) == nil, "\(name)")
        }
        // FNV-1a of "a", from the definition's own test vectors.
        #expect(try #require(NodeIdentity(name: "a", epoch: 1)).id == 0xaf63_dc4c_8601_ec8c)
    }

    @Test func `a node appears, is heard, lives again, and leaves`() {
        let record = { (epoch: UInt64, second: Int) in
            NodeRecord(name: "n", epoch: epoch, sessions: 1, heard: .seconds(second))
        }
        var table = NodeTable()
        #expect(table.hear(7, record(5, 1)) == .appeared)
        #expect(table.hear(7, record(5, 2)) == .none)
        #expect(table.hear(7, record(6, 3)) == .returned(formerEpoch: 5))
        #expect(table.hear(7, record(5, 4)) == .none)
        #expect(table.records[7]?.heard == .seconds(3))
        #expect(table.takeSilent(since: .seconds(3)).isEmpty)
        #expect(!table.leave(7, epoch: 5) && !table.leave(8, epoch: 6))
        #expect(table.leave(7, epoch: 6) && table.records.isEmpty)
        #expect(table.hear(7, record(6, 9)) == .appeared)
        #expect(table.takeSilent(since: .seconds(10)).count == 1 && table.records.isEmpty)
        for id in 0..<UInt64(NodeTable.capacity) { _ = table.hear(id, record(1, 1)) }
        #expect(table.hear(5000, record(1, 1)) == .none)
        #expect(table.records.count == NodeTable.capacity)
    }
}
