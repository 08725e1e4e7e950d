// The command line: what it asks for, or why it cannot be told. Pure: neither reads nor prints.
import Tron

/// What the command line asks for.
enum Command {
    case demonstrate
    case serve(SocketAddress, ServerOptions)
    case connect(SocketAddress, timeout: Duration)
    case help
    case version

    /// Reads the arguments that follow the program's name.
    init(_ arguments: [String]) throws(UsageError) {
        var words = arguments[...]
        switch words.popFirst() {
        case nil: self = .demonstrate
        case "--help": self = .help
        case "--version": self = .version
        case let word?:
            guard let verb = Verb(rawValue: word) else {
                throw UsageError("unknown \(word.hasPrefix("-") ? "option" : "command") \(word)")
            }
            self = words.contains("--help") ? .help : try Settings(words, of: verb).command(verb)
        }
    }
}

/// The commands that take options.
enum Verb: String {
    case serve
    case connect
}

/// Why the command line cannot be understood, in one line.
struct UsageError: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

// MARK: - The options

/// One option: how it is written, where it is allowed, what it means.
struct Option: Sendable {
    let name: String
    let value: String
    let verbs: [Verb]
    let help: String
    let store: @Sendable (inout Settings, String) throws(UsageError) -> Void

    static let all = [
        Option(
            name: "--port", value: "N", verbs: [.serve, .connect],
            help: "TCP port; to serve, 0 takes a free one"
        ) { settings, text throws(UsageError) in
            settings.port = try Self.number(text, in: 0...65_535)
        },
        Option(
            name: "--host", value: "H", verbs: [.serve, .connect],
            help: "IPv4 or IPv6 address, 127.0.0.1 if not given"
        ) { settings, text throws(UsageError) in settings.host = text },
        Option(
            name: "--unix", value: "PATH", verbs: [.serve, .connect],
            help: "Unix socket in place of host and port"
        ) { settings, text throws(UsageError) in settings.path = text },
        Option(
            name: "--idle", value: "SECONDS", verbs: [.serve],
            help: "close sessions that move no bytes for so long; never if not given"
        ) { settings, text throws(UsageError) in
            settings.server.session.idle.either = try Self.seconds(text)
        },
        Option(
            name: "--max-data", value: "BYTES", verbs: [.serve],
            help: "the most data a packet may have, 1048576 if not given"
        ) { settings, text throws(UsageError) in
            settings.server.session.limits.dataLength = try Self.number(text, in: 0...1 << 30)
        },
        Option(
            name: "--max-sessions", value: "N", verbs: [.serve],
            help: "sessions at the same time, 100000 if not given"
        ) { settings, text throws(UsageError) in
            settings.server.limits.sessions = try Self.number(text, in: 1...1_000_000_000)
        },
        Option(
            name: "--max-per-address", value: "N", verbs: [.serve],
            help: "sessions at the same time from one address; no limit if not given"
        ) { settings, text throws(UsageError) in
            settings.server.limits.sessionsPerAddress =
                try Self.number(text, in: 1...1_000_000_000)
        },
        Option(
            name: "--timeout", value: "SECONDS", verbs: [.connect],
            help: "how long to wait for the connection and for each answer, 10 if not given"
        ) { settings, text throws(UsageError) in settings.timeout = try Self.seconds(text) },
    ]
}

// MARK: - Their values

extension Option {
    // Digits alone: Swift's own parsers would also take "+80", "0x50" and "nan".
    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    private static func number(
        _ text: String, in range: ClosedRange<Int>
    ) throws(UsageError) -> Int {
        guard text.utf8.allSatisfy(digits.contains), let number = Int(text) else {
            throw UsageError("\(text) is not a number")
        }
        guard range.contains(number) else {
            throw UsageError("\(number) is not within \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func seconds(_ text: String) throws(UsageError) -> Duration {
        let isPlain = text.utf8.allSatisfy { digits.contains($0) || $0 == UInt8(ascii: ".") }
        guard isPlain, let seconds = Double(text) else {
            throw UsageError("\(text) is not a number of seconds")
        }
        guard seconds > 0, seconds <= 1e9 else {
            throw UsageError("\(text) s is not more than 0 and at most a billion")
        }
        return .seconds(seconds)
    }
}

/// The options' values, as far as they are given.
struct Settings {
    var port: Int?
    var host: String?
    var path: String?
    var server = ServerOptions()
    var timeout = Duration.seconds(10)

    init(_ words: ArraySlice<String>, of verb: Verb) throws(UsageError) {
        var words = words
        var seen: Set<String> = []
        while let word = words.popFirst() {
            let found = Option.all.first { $0.name == word && $0.verbs.contains(verb) }
            guard let option = found else {
                throw UsageError("unknown option \(word) of \(verb)")
            }
            guard seen.insert(word).inserted else { throw UsageError("\(word) is given twice") }
            guard let value = words.popFirst(), !value.hasPrefix("--") else {
                throw UsageError("\(word) needs a value, \(option.value)")
            }
            do throws(UsageError) {
                try option.store(&self, value)
            } catch {
                throw UsageError("\(word): \(error.reason)")
            }
        }
    }

    func command(_ verb: Verb) throws(UsageError) -> Command {
        let address = try address(verb)
        switch verb {
        case .serve: return .serve(address, server)
        case .connect:
            if address.port == 0 { throw UsageError("--port: nobody can connect to port 0") }
            return .connect(address, timeout: timeout)
        }
    }

    private func address(_ verb: Verb) throws(UsageError) -> SocketAddress {
        if path != nil && host != nil { throw UsageError("--host and --unix exclude each other") }
        if path != nil && port != nil { throw UsageError("--port and --unix exclude each other") }
        let text = if let path { "unix:\(path)" } else { try hostAndPort(verb) }
        do throws(AddressError) {
            return try SocketAddress(text)
        } catch {
            throw UsageError("\(error)")
        }
    }

    private func hostAndPort(_ verb: Verb) throws(UsageError) -> String {
        guard let port else { throw UsageError("\(verb) needs --port or --unix") }
        let host = host ?? "127.0.0.1"
        let needsBrackets = host.contains(":") && !host.hasPrefix("[")
        return needsBrackets ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
