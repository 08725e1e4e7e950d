// The command line: what it asks for, or why it cannot be told. Pure: neither reads nor prints.
import Tron

/// What the command line asks for.
enum Command {
    case demonstrate
    case serve(ServeSettings)
    case connect(ConnectSettings)
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

/// What `serve` needs to know.
struct ServeSettings: Sendable {
    /// Nil where the listeners are to be those that a supervisor hands over.
    let address: SocketAddress?
    let options: ServerOptions
    /// How many reactors serve.
    let reactors: Int
    /// Where metrics are served, if they are.
    let metrics: SocketAddress?
    /// Whether to show what is going on.
    let watches: Bool
}

/// What `connect` needs to know.
struct ConnectSettings: Sendable {
    /// As `Reactor.makeClient(to:)` takes it: with a name in place of the address, if it was given.
    let address: String
    let timeout: Duration
    let backoff: Backoff
}

/// Why the command line cannot be understood, in one line.
struct UsageError: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

// MARK: - What the options say

/// The options' values, as far as they are given.
struct Settings {
    var port: Int?
    var host: String?
    var path: String?
    var server = ServerOptions()
    /// The networks of the proxies that connections come through; none: they come directly.
    var proxies: [Network] = []
    var reactors = 1
    var metrics: SocketAddress?
    var watches = false
    var timeout = Duration.seconds(10)
    var retry = RetrySettings()

    init(_ words: ArraySlice<String>, of verb: Verb) throws(UsageError) {
        var words = words
        var seen: Set<String> = []
        while let word = words.popFirst() {
            let found = Option.all.first { $0.name == word && $0.verbs.contains(verb) }
            guard let option = found else {
                throw UsageError("unknown option \(word) of \(verb)")
            }
            guard seen.insert(word).inserted || option.isRepeatable else {
                throw UsageError("\(word) is given twice")
            }
            let value = try Self.value(of: option, from: &words)
            do throws(UsageError) {
                try option.store(&self, value)
            } catch {
                throw UsageError("\(word): \(error.reason)")
            }
        }
    }

    private static func value(
        of option: Option, from words: inout ArraySlice<String>
    ) throws(UsageError) -> String {
        guard let kind = option.value else { return "" }
        guard let value = words.popFirst(), !value.hasPrefix("--") else {
            throw UsageError("\(option.name) needs a value, \(kind)")
        }
        return value
    }

    func command(_ verb: Verb) throws(UsageError) -> Command {
        switch verb {
        case .serve:
            let isGiven = port != nil || host != nil || path != nil
            let address = isGiven ? try Option.address(addressText(verb)) : nil
            var options = server
            if !proxies.isEmpty { options.proxyProtocol = .required(from: proxies) }
            if reactors > 1 && watches {
                throw UsageError("--watch shows one reactor: --reactors 1")
            }
            return .serve(
                ServeSettings(
                    address: address, options: options, reactors: reactors, metrics: metrics,
                    watches: watches))
        case .connect:
            let text = try addressText(verb)
            if port == 0 { throw UsageError("--port: nobody can connect to port 0") }
            try Self.checkAddressOrName(text)
            return .connect(
                ConnectSettings(address: text, timeout: timeout, backoff: try retry.backoff()))
        }
    }

    private static func checkAddressOrName(_ text: String) throws(UsageError) {
        do throws(AddressError) {
            _ = try SocketAddress(text)
        } catch {
            if error.reason != .hostName { throw UsageError("\(error)") }
        }
    }

    private func addressText(_ verb: Verb) throws(UsageError) -> String {
        if path != nil && host != nil { throw UsageError("--host and --unix exclude each other") }
        if path != nil && port != nil { throw UsageError("--port and --unix exclude each other") }
        return if let path { "unix:\(path)" } else { try hostAndPort(verb) }
    }

    private func hostAndPort(_ verb: Verb) throws(UsageError) -> String {
        guard let port else { throw UsageError("\(verb) needs --port or --unix") }
        let host = host ?? "127.0.0.1"
        let needsBrackets = host.utf8.contains(UInt8(ascii: ":")) && !host.hasPrefix("[")
        return needsBrackets ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// The retry options' values. Jitter is the default: without one, all the clients that lost a
/// server would return to it in the same instant.
struct RetrySettings {
    var initial = Duration.seconds(3)
    var multiplier = 2.0
    var cap: Duration?
    var attempts = 8
    var jitter = Backoff.Jitter.equal

    func backoff() throws(UsageError) -> Backoff {
        if let cap, cap < initial { throw UsageError("--retry-cap is less than --retry-initial") }
        return Backoff(
            initial: initial, multiplier: multiplier, cap: cap, attempts: attempts, jitter: jitter)
    }
}
