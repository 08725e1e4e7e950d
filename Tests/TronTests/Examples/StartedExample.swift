// An example as a process that listens.
import Foundation
import Testing
import Tron

/// Starts the example, and says where it listens.
func startExample(
    _ name: String, _ options: [String] = [], environment: [String: String] = [:]
) throws -> (ProcessUnderTest, SocketAddress) {
    let process = try ProcessUnderTest(
        ["serve", "--port", "0"] + options, of: name, environment: environment)
    let words = try process.readLine().split(separator: " ")
    try #require(words.dropLast() == ["listening", "on"])
    return (process, try SocketAddress(String(words[2])))
}

extension ProcessUnderTest {
    /// The most memory that it has had at a time (VmHWM), in bytes.
    func highestMemory() throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.filter(\.isNumber))) << 10
    }
}
