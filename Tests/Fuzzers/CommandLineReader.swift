// The oracle of the command line's fuzzer: what the demo's help says of each option.

/// Reads the arguments as the help describes them; shares no code with the demo.
enum CommandLineReader {
    enum Meaning {
        case demonstrate
        case help
        case version
        /// The verb and the options' values as they were given.
        case verb(String, [String: String])
        case misuse
    }

    private enum Value {
        case whole(ClosedRange<Int>)
        case seconds
        case factor
        case word([String])
        case any
        /// A port, or an address with one.
        case place
        /// An IPv4 or IPv6 address with the number of bits that count; or `unix`. Repeatable.
        case network
        /// There is none.
        case none
    }

    private static let both: [String: Value] = [
        "--port": .whole(0...65_535), "--host": .any, "--unix": .any,
    ]

    private static let options: [String: [String: Value]] = [
        "serve": [
            "--idle": .seconds, "--max-data": .whole(0...1 << 30),
            "--max-sessions": .whole(1...1_000_000_000),
            "--max-per-address": .whole(1...1_000_000_000), "--metrics": .place,
            "--watch": .none, "--proxy-from": .network, "--reactors": .whole(1...1024),
        ],
        "connect": [
            "--timeout": .seconds, "--retry-initial": .seconds, "--retry-multiplier": .factor,
            "--retry-cap": .seconds, "--retry-attempts": .whole(1...1_000_000_000),
            "--jitter": .word(["none", "full", "equal"]),
        ],
    ]

    static func read(_ arguments: [String]) -> Meaning {
        guard let verb = arguments.first else { return .demonstrate }
        if verb == "--help" { return .help }
        if verb == "--version" { return .version }
        guard let own = options[verb] else { return .misuse }
        var words = Array(arguments.dropFirst().reversed())
        if words.contains("--help") { return .help }
        var values: [String: String] = [:]
        while let name = words.popLast() {
            guard let kind = own[name] ?? both[name] else { return .misuse }
            if case .network = kind {} else if values[name] != nil { return .misuse }
            if case .none = kind {
                values[name] = ""
                continue
            }
            guard let value = words.popLast(), !value.hasPrefix("--"), accepts(kind, value)
            else { return .misuse }
            values[name] = value
        }
        return agree(values, verb) ? .verb(verb, values) : .misuse
    }

    /// What the options say together.
    private static func agree(_ values: [String: String], _ verb: String) -> Bool {
        if let cap = values["--retry-cap"].flatMap(Double.init) {
            let initial = values["--retry-initial"].flatMap(Double.init) ?? 3
            if cap < initial { return false }
        }
        if let reactors = values["--reactors"].flatMap(Int.init), reactors > 1 {
            if values["--metrics"] != nil || values["--watch"] != nil { return false }
        }
        if let path = values["--unix"] {
            return values["--host"] == nil && values["--port"] == nil
                && isAddress("unix:\(path)", orName: false)
        }
        // A supervisor may hand over what is listened on.
        guard let port = values["--port"] else {
            return verb == "serve" && values["--host"] == nil
        }
        if verb == "connect", port.allSatisfy({ $0 == "0" }) { return false }
        let host = values["--host"] ?? "127.0.0.1"
        let isBare = host.utf8.contains(58) && host.utf8.first != 91
        // Written without the zeros before it, which only an option may have.
        let text = (isBare ? "[\(host)]" : host) + ":\(Int(port)!)"
        return isAddress(text, orName: verb == "connect")
    }

    private static func isAddress(_ text: String, orName: Bool) -> Bool {
        switch AddressReader.read(Array(text.utf8)) {
        case .nothing: false
        case .name: orName
        default: true
        }
    }

    /// Bit by bit: no bit of the address that is set lies behind those that count.
    private static func isNetwork(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: 47, omittingEmptySubsequences: false)
        guard parts.count <= 2, !parts[0].contains(37) else { return false }
        let isIPv6 = parts[0].contains(58)
        let host = isIPv6 ? [91] + Array(parts[0]) + [93, 58, 48] : Array(parts[0]) + [58, 48]
        let bytes: [UInt8]
        switch AddressReader.read(host) {
        case .ipv4(let four, _): bytes = four
        case .ipv6(let groups, _, _):
            bytes = groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        default: return false
        }
        guard parts.count == 2 else { return true }
        let lengths = (0...bytes.count * 8).filter { "\($0)".utf8.elementsEqual(parts[1]) }
        guard let length = lengths.first else { return false }
        return (length..<max(length, bytes.count * 8)).allSatisfy {
            bytes[$0 / 8] >> UInt8(7 - $0 % 8) & 1 == 0
        }
    }

    private static func accepts(_ kind: Value, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let digits = bytes.filter { (48...57).contains($0) }
        let points = bytes.filter { $0 == 46 }
        let isDecimal = digits.count + points.count == bytes.count && points.count <= 1
        switch kind {
        case .any: return true
        case .none: return false
        case .place:
            let isPort = digits.count == bytes.count
            return isPort
                ? accepts(.whole(0...65_535), text) : isAddress(text, orName: false)
        case .network: return text == "unix" || isNetwork(text)
        case .word(let words): return words.contains(text)
        case .whole(let range):
            return !bytes.isEmpty && digits.count == bytes.count
                && Int(text).map(range.contains) ?? false
        case .seconds:
            guard isDecimal, let seconds = Double(text) else { return false }
            return seconds > 0 && seconds <= 1e9
        case .factor:
            guard isDecimal, let factor = Double(text) else { return false }
            return factor >= 1 && factor <= 1000
        }
    }
}
