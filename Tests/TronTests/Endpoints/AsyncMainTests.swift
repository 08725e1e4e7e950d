// A program whose main is async: signals reach its reactor, wherever that runs.
import Glibc
import Testing
import Tron

@Suite struct AsyncMainSignalTests {
    @Test(arguments: ["thread", "task", "main"])
    func `SIGTERM drains the server under an async main`(place: String) throws {
        let process = try ProcessUnderTest([place], of: "async-main")
        let words = try process.readLine().split(separator: " ")
        try #require(words.dropLast() == ["listening", "on"])
        let client = try PlainClient(try SocketAddress(String(words[2])))
        let packet = wire("before the signal")
        client.send(packet)
        #expect(try client.receive(count: packet.count) == packet)
        process.signal(SIGTERM)
        #expect(try client.receive(count: 1) == [])
        client.finish()
        let outcome = try process.awaitEnd()
        #expect(outcome.status == 0)
        #expect(outcome.output == "closed 1, aborted 0\nmain ends\n")
        #expect(outcome.errors == "")
    }
}
