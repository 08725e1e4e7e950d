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

/// A number with a comma before each three digits: 1,234,567.
func grouped(_ number: Int) -> String {
    let digits = Array("\(number.magnitude)")
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
        text.append(digit)
    }
    return text
}

/// A number of at most a quadrillion, rounded to so many decimals.
func decimal(_ number: Double, places: Int) -> String {
    let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
    let digits = "\(Int((number.magnitude * scale).rounded()))"
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    let sign = number < 0 ? "-" : ""
    return sign + grouped(Int(padded.dropLast(places)) ?? 0) + "." + padded.suffix(places)
}
