// What the demonstration and the client say of bytes, packets, states and times.
import Tron

/// A line of the demonstration: who does something, and what.
func show(_ who: String, _ what: String) {
    let padding = String(repeating: " ", count: max(1, 17 - who.count))
    Terminal.say("   \(who)\(padding)\(what)")
}

/// Bytes as a hex dump shows them: sixteen a line, with their text beside them.
func hexDump(_ bytes: [UInt8]) -> [String] {
    stride(from: 0, to: bytes.count, by: 16).map { start in
        let row = bytes[start..<min(start + 16, bytes.count)]
        let hex = row.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
        let text = row.map { 0x20...0x7e ~= $0 ? String(UnicodeScalar($0)) : "." }.joined()
        return hex + String(repeating: " ", count: 49 - hex.count) + text
    }
}

extension OwnedPacket {
    /// The packet on one line.
    var summary: String {
        "sequence \(sequence), category \(category), data \(text.debugDescription)"
    }
}

extension ClientState {
    /// The state on one line, its delay in seconds with up to three decimals.
    var line: String {
        guard case .waiting(let delay, let attempt) = self else { return description }
        let seconds = (delay / .milliseconds(1)).rounded() / 1000
        return "waiting \(seconds) s before attempt \(attempt)"
    }
}

func milliseconds(_ duration: Duration) -> Int64 { Int64(duration / .milliseconds(1)) }
