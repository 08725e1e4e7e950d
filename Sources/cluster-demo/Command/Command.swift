// The command line: what it asks for, or why it cannot be told. Pure: neither reads nor prints.
import Tron

/// What the command line asks for.
enum Command {
    case demonstrate
    case node(NodeSettings)
    case help
    case version

    /// Reads the arguments that follow the program's name.
    init(_ arguments: [String]) throws(UsageError) {
        var words = arguments[...]
        switch words.popFirst() {
        case nil: self = .demonstrate
        case "--help": self = .help
        case "--version": self = .version
        case "node": self = words.contains("--help") ? .help : .node(try NodeSettings(words))
        case let word?:
            throw UsageError("unknown \(word.hasPrefix("-") ? "option" : "command") \(word)")
        }
    }
}

/// Why the command line cannot be understood, in one line.
struct UsageError: Error, Equatable {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// What `node` needs to know.
struct NodeSettings {
    /// Nil where the listeners are to be those that a supervisor hands over.
    var address: SocketAddress?
    var brokers: [SocketAddress] = []
    /// Nil where the node is to have one by chance.
    var name: String?
    var cluster = "tron"
    /// The networks of the proxies that connections come through; none: they come directly.
    var proxies: [Network] = []
    var metrics: SocketAddress?
    var maximumSessions = NodeLimits.sessions.limits.maximumSessions
    /// How long a drain may take, and over how much of that sessions are told.
    var drain = Duration.seconds(8)
    var spread = Duration.seconds(2)

    init(_ words: ArraySlice<String>) throws(UsageError) {
        var words = words
        var seen: Set<String> = []
        while let word = words.popFirst() {
            guard let option = Option.all.first(where: { $0.name == word }) else {
                throw UsageError("unknown option \(word) of node")
            }
            guard seen.insert(word).inserted || option.isRepeatable else {
                throw UsageError("\(word) is given twice")
            }
            guard let value = words.popFirst(), !value.hasPrefix("--") else {
                throw UsageError("\(word) needs a value, \(option.value)")
            }
            do throws(UsageError) {
                try option.store(&self, value)
            } catch {
                throw UsageError("\(word): \(error.reason)")
            }
        }
        if brokers.isEmpty { throw UsageError("node needs --broker") }
        if spread > drain { throw UsageError("--spread is more than --drain") }
    }

    /// How its sessions behave.
    var server: ServerOptions {
        var options = NodeLimits.sessions
        options.limits.maximumSessions = maximumSessions
        if !proxies.isEmpty { options.proxyProtocol = .required(from: proxies) }
        return options
    }
}
