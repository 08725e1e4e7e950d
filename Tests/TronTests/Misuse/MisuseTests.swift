// Misuse ends the program, and its message says what was wrong; in release builds, too: .ci/misuse.
import Glibc
import Testing

@testable import Tron

@Suite struct MisuseTests {
    /// What was printed, without the stack.
    private static func message(_ bytes: [UInt8]?) -> String {
        String(decoding: (bytes ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    @Test(arguments: Misuse.all.map(\.name))
    func `misuse ends the process and says what was wrong`(name: String) async throws {
        let misuse = try #require(Misuse.of(name, in: Misuse.all))
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) { [name] in
            try #require(Misuse.of(name, in: Misuse.all)).commit()
            exit(EXIT_SUCCESS)
        }
        let said = Self.message(result?.standardErrorContent)
        #expect(misuse.isSaid(in: said), "\(said)")
    }

    @Test(arguments: Misuse.offLoop.map(\.name))
    func `what is called on another thread traps and the message names submit`(
        name: String
    ) async throws {
        let misuse = try #require(Misuse.of(name, in: Misuse.offLoop))
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) { [name] in
            try #require(Misuse.of(name, in: Misuse.offLoop)).commit()
            exit(EXIT_SUCCESS)
        }
        let said = Self.message(result?.standardErrorContent)
        #expect(said.contains(misuse.message + " was called on another thread"), "\(said)")
        #expect(said.contains("reactor.remote.submit"), "\(said)")
    }
}
