// Debts: each is settled once, or lost; how many there may be, and what they take.
import Testing

@testable import Tron

@Suite struct DebtTests {
    @Test func `a debt is owed until it is settled, and then never again`() {
        var debts = Debts()
        let first = debts.owe(packet: 1, atMost: 3)
        let second = debts.owe(packet: 2, atMost: 3)
        #expect(first != second && debts.count == 2)
        let again = debts.owe(packet: 2, atMost: 3)
        #expect(again == second && debts.count == 2 && debts.owes(first))
        let settled = [debts.settle(first), debts.settle(first), debts.settle(.none)]
        #expect(settled == [true, false, false] && !debts.owes(first))
        // What takes its place has another name.
        let third = debts.owe(packet: 3, atMost: 3)
        #expect(third != first && !debts.owes(first) && debts.count == 2)
        #expect(debts.lost == 0)
    }

    @Test func `beyond the limit nothing is owed`() {
        var debts = Debts()
        let first = debts.owe(packet: 1, atMost: 1)
        let beyond = debts.owe(packet: 2, atMost: 1)
        #expect(first != .none && beyond == .none && debts.count == 1)
        let isSettled = debts.settle(first)
        let next = debts.owe(packet: 2, atMost: 1)
        #expect(isSettled && next != .none)
    }

    @Test func `what is abandoned is counted as lost, and cannot be settled`() {
        var debts = Debts()
        let all = (1...5).map { debts.owe(packet: $0, atMost: 10) }
        let isSettled = debts.settle(all[2])
        debts.abandon()
        debts.abandon()
        #expect(isSettled && debts.count == 0 && debts.lost == 4)
        let later = all.map { debts.owes($0) || debts.settle($0) }
        #expect(!later.contains(true))
    }

    @Test func `the memory of debts is within the bound`() {
        for limit in [1, 15, 16, 17, 1000, 1024, 1025] {
            var debts = Debts()
            for packet in 1...limit { _ = debts.owe(packet: packet, atMost: limit) }
            #expect(debts.count == limit)
            var capacity = 16
            while capacity < limit { capacity *= 2 }
            let most = (capacity + (capacity > 16 ? capacity / 2 : 0)) * Slab<Void>.bytesPerElement
            #expect(most <= Debts.memoryBound(limit))
        }
        var small = SessionLimits()
        small.maximumOwedReplies = 1
        small.maximumQueuedBytes += 1023 * small.reservedReply
        let difference =
            SessionLimits().memoryBound(maximumBytesReadPerTurn: 4096)
            - small.memoryBound(maximumBytesReadPerTurn: 4096)
        #expect(difference == Debts.memoryBound(1024) - Debts.memoryBound(1))
    }
}
