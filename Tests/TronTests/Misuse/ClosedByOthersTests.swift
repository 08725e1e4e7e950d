// A program that closes a descriptor of the library's ends at the next call on it.
import Foundation
import Testing

@testable import Tron

@Suite struct ClosedByOthersTests {
    @Test(arguments: FaultRow.table.filter(\.trapsOnBadDescriptor).map(\.call.rawValue))
    func `a descriptor that others closed stops the program`(call: String) async throws {
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) { [call] in
            let call = try #require(KernelCall(rawValue: call))
            let spot = FaultSpot(call: call, code: EBADF, index: 1, isForGood: false)
            for scenario in FaultScenario.all { _ = scenario.play(spot) }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("closed by others"), "\(text)")
    }
}
