// The options of the command line: each one's name, help and meaning, in one table.
import Tron

/// One option: how it is written, where it is allowed, what it means.
struct Option: Sendable {
    let name: String
    /// What its value is; nil when it has none.
    let value: String?
    let verbs: [Verb]
    let help: String
    /// Whether it may be given several times.
    var isRepeatable = false
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
            help: "IPv4 or IPv6 address, 127.0.0.1 if not given; to connect, also a name"
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
            settings.server.session.limits.maximumDataLength = try Self.number(
                text, in: 0...1 << 30)
        },
        Option(
            name: "--max-sessions", value: "N", verbs: [.serve],
            help: "sessions at the same time, 100000 if not given"
        ) { settings, text throws(UsageError) in
            settings.server.limits.maximumSessions = try Self.number(text, in: 1...1_000_000_000)
        },
        Option(
            name: "--max-per-address", value: "N", verbs: [.serve],
            help: "sessions at the same time from one address; no limit if not given"
        ) { settings, text throws(UsageError) in
            settings.server.limits.maximumSessionsPerAddress =
                try Self.number(text, in: 1...1_000_000_000)
        },
        Option(
            name: "--proxy-from", value: "NETWORK", verbs: [.serve],
            help: "require PROXY headers from these addresses, and close others; repeatable",
            isRepeatable: true
        ) { settings, text throws(UsageError) in settings.proxies.append(try network(text)) },
        Option(
            name: "--reactors", value: "N", verbs: [.serve],
            help: "reactors, each on a thread of its own, 1 if not given; more without --watch"
        ) { settings, text throws(UsageError) in
            settings.reactors = try Self.number(text, in: 1...1024)
        },
        Option(
            name: "--metrics", value: "[H:]N", verbs: [.serve],
            help: "serve metrics for Prometheus there, on 127.0.0.1 if no address is given"
        ) { settings, text throws(UsageError) in settings.metrics = try addressOrPort(text) },
        Option(
            name: "--watch", value: nil, verbs: [.serve],
            help: "show once a second what is going on; without colours if NO_COLOR is set"
        ) { settings, _ throws(UsageError) in settings.watches = true },
        Option(
            name: "--timeout", value: "SECONDS", verbs: [.connect],
            help: "how long one attempt to connect, and an answer, may take; 10 if not given"
        ) { settings, text throws(UsageError) in settings.timeout = try Self.seconds(text) },
        Option(
            name: "--retry-initial", value: "SECONDS", verbs: [.connect],
            help: "delay before the first attempt to connect again, 3 if not given"
        ) { settings, text throws(UsageError) in settings.retry.initial = try Self.seconds(text) },
        Option(
            name: "--retry-multiplier", value: "N", verbs: [.connect],
            help: "makes each further delay longer, 2 if not given"
        ) { settings, text throws(UsageError) in
            settings.retry.multiplier = try Self.factor(text)
        },
        Option(
            name: "--retry-cap", value: "SECONDS", verbs: [.connect],
            help: "no delay is longer, 60 if not given"
        ) { settings, text throws(UsageError) in settings.retry.cap = try Self.seconds(text) },
        Option(
            name: "--retry-attempts", value: "N", verbs: [.connect],
            help: "gives up after so many in a row that failed, 8 if not given"
        ) { settings, text throws(UsageError) in
            settings.retry.attempts = try Self.number(text, in: 1...1_000_000_000)
        },
        Option(
            name: "--jitter", value: "none|full|equal", verbs: [.connect],
            help: "draws each delay from all of it or its latter half; equal if not given"
        ) { settings, text throws(UsageError) in settings.retry.jitter = try Self.jitter(text) },
    ]
}

// MARK: - Their values

extension Option {
    /// A number that may have a fraction, and nothing else.
    private static func plainNumber(_ text: String) -> Double? {
        let isPlain = text.utf8.allSatisfy { digits.contains($0) || $0 == UInt8(ascii: ".") }
        return isPlain ? Double(text) : nil
    }

    private static func factor(_ text: String) throws(UsageError) -> Double {
        guard let factor = plainNumber(text) else { throw UsageError("\(text) is not a number") }
        guard (1...1000).contains(factor) else {
            throw UsageError("\(text) is not within 1 to 1000")
        }
        return factor
    }

    private static func jitter(_ text: String) throws(UsageError) -> Backoff.Jitter {
        switch text {
        case "none": return .none
        case "full": return .full
        case "equal": return .equal
        default: throw UsageError("\(text) is not none, full or equal")
        }
    }

    private static func seconds(_ text: String) throws(UsageError) -> Duration {
        guard let seconds = plainNumber(text) else {
            throw UsageError("\(text) is not a number of seconds")
        }
        // A duration has a least part too: what is less than half of it is no time at all.
        guard seconds <= 1e9, case let duration = Duration.seconds(seconds), duration > .zero
        else {
            throw UsageError("\(text) s is not more than 0 and at most a billion")
        }
        return duration
    }
}
