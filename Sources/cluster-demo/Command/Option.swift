// The options of `node`: each one's name, help and meaning, in one table.
import Tron

/// One option: how it is written, and what it means.
struct Option: Sendable {
    let name: String
    /// What its value is.
    let value: String
    let help: String
    /// Whether it may be given several times.
    var isRepeatable = false
    let store: @Sendable (inout NodeSettings, String) throws(UsageError) -> Void

    static let all = [
        Option(
            name: "--listen", value: "ADDRESS",
            help: "where; without it on what a supervisor hands over"
        ) { settings, text throws(UsageError) in settings.address = try address(text) },
        Option(
            name: "--broker", value: "ADDRESS",
            help: "a NATS server; repeatable: they are tried at random, and what they tell of",
            isRepeatable: true
        ) { settings, text throws(UsageError) in settings.brokers.append(try address(text)) },
        Option(
            name: "--name", value: "NAME",
            help: "the node's own through all its lives; by chance if not given"
        ) { settings, text throws(UsageError) in settings.name = try name(text) },
        Option(
            name: "--cluster", value: "NAME",
            help: "whose nodes it hears, of all that have the broker; tron if not given"
        ) { settings, text throws(UsageError) in settings.cluster = try name(text) },
        Option(
            name: "--proxy-from", value: "NETWORK",
            help: "require PROXY headers from these addresses, and close others; repeatable",
            isRepeatable: true
        ) { settings, text throws(UsageError) in settings.proxies.append(try network(text)) },
        Option(
            name: "--metrics", value: "[H:]N",
            help: "serve metrics for Prometheus there, on 127.0.0.1 if no address is given"
        ) { settings, text throws(UsageError) in settings.metrics = try addressOrPort(text) },
        Option(
            name: "--max-sessions", value: "N",
            help: "sessions at the same time, 20000 if not given"
        ) { settings, text throws(UsageError) in
            settings.maximumSessions = try number(text, in: 1...1_000_000_000)
        },
        Option(
            name: "--drain", value: "SECONDS",
            help: "how long sessions have to go when the node is told to end, 8 if not given"
        ) { settings, text throws(UsageError) in
            settings.drain = .seconds(try number(text, in: 1...3600))
        },
        Option(
            name: "--spread", value: "SECONDS",
            help: "over how much of it they are told, so that not all move at once; 2"
        ) { settings, text throws(UsageError) in
            settings.spread = .seconds(try number(text, in: 0...3600))
        },
    ]
}

// MARK: - Their values

extension Option {
    /// It stands in subjects and in JSON.
    private static func name(_ text: String) throws(UsageError) -> String {
        guard NodeIdentity(name: text, epoch: 0) != nil, !text.utf8.contains(UInt8(ascii: "."))
        else {
            throw UsageError("\(text) is not 1 to 32 letters, digits, - and _")
        }
        return text
    }
}

/// What the program says of itself: the usage, made from the table of options.
enum CommandLineHelp {
    /// One line, for whoever got it wrong.
    static let hint =
        "usage: cluster-demo [node --broker ADDRESS [--listen ADDRESS] [OPTION VALUE]...]"
        + " | --help | --version"

    /// Everything, for whoever asked.
    static var text: String {
        """
        One of many machines of a service of topics: sessions subscribe and publish, and a NATS
        server carries what is published from node to node.

        usage: cluster-demo
                   demonstrates it with two nodes and, where nats-server is installed, a broker
               cluster-demo node --broker ADDRESS [--listen ADDRESS] [OPTION VALUE]...
                   serves until SIGINT or SIGTERM, then sends its sessions away and leaves
               cluster-demo --help | --version

        options of node:
        \(lines)

        Sources/cluster-demo/Node/Packets.swift says what sessions send and are sent.

        exit status: 0 done, 1 failed, 64 misused
        """
    }

    private static var lines: String {
        Option.all.map { option in
            let head = "  \(option.name) \(option.value)"
            return head + String(repeating: " ", count: max(2, 26 - head.count)) + option.help
        }.joined(separator: "\n")
    }
}
