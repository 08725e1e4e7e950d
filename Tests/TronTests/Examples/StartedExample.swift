// An example as a process that listens.
import Testing
import Tron

/// Starts the example, and says where it listens.
func startExample(
    _ name: String, _ options: [String] = []
) throws -> (ProcessUnderTest, SocketAddress) {
    let process = try ProcessUnderTest(["serve", "--port", "0"] + options, of: name)
    let words = try process.readLine().split(separator: " ")
    try #require(words.dropLast() == ["listening", "on"])
    return (process, try SocketAddress(String(words[2])))
}
