// Fuzzes the demo's command line: what it accepts and means, against a reader of its own.

/// An input is the arguments, each but the last ended by a NUL, which no argument can hold.
enum CommandLineFuzzer {
    static func run(_ input: UnsafeRawBufferPointer) {
        let arguments = input.split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        let expected = CommandLineReader.read(input.isEmpty ? [] : arguments)
        do throws(UsageError) {
            let command = try Command(input.isEmpty ? [] : arguments)
            check(command, expected)
        } catch {
            require(!error.reason.isEmpty, "no reason")
            guard case .misuse = expected else {
                return require(false, "refused, but \(expected): \(error.reason)")
            }
        }
    }

    private static func check(_ command: Command, _ expected: CommandLineReader.Meaning) {
        switch (command, expected) {
        case (.demonstrate, .demonstrate), (.help, .help), (.version, .version): break
        case (.serve(let settings), .verb("serve", let values)):
            let isGiven = values["--port"] != nil || values["--unix"] != nil
            require((settings.address == nil) == !isGiven, "whether there is an address")
            if isGiven { checkAddress(settings.address?.description, values) }
            checkServer(settings.options, values)
            require(settings.watches == (values["--watch"] != nil), "whether it watches")
            require(settings.reactors == number(values["--reactors"], 1), "the reactors")
            require((settings.metrics == nil) == (values["--metrics"] == nil), "the metrics")
        case (.connect(let settings), .verb("connect", let values)):
            checkAddress((try? SocketAddress(settings.address))?.description, values)
            checkConnect(settings, values)
        default: require(false, "\(command), but \(expected)")
        }
    }

    private static func checkAddress(_ text: String?, _ values: [String: String]) {
        if let path = values["--unix"] { return require(text == "unix:\(path)", "the path") }
        let host = values["--host"] ?? "127.0.0.1"
        guard let text else { return require(host.utf8.allSatisfy { $0 != 58 }, "no address") }
        require(text.hasSuffix(":\(Int(values["--port"]!)!)"), "the port")
    }

    private static func checkServer(_ options: ServerOptions, _ values: [String: String]) {
        let usual = ServerOptions()
        let limits = options.session.limits
        let isRight =
            limits.maximumDataLength
            == number(values["--max-data"], usual.session.limits.maximumDataLength)
            && options.limits.maximumSessions
                == number(values["--max-sessions"], usual.limits.maximumSessions)
            && options.limits.maximumSessionsPerAddress
                == number(values["--max-per-address"], usual.limits.maximumSessionsPerAddress)
            && isRight(options.session.idle.either ?? .zero, values["--idle"], usual: 0)
        require(isRight, "the server's options")
        let proxies = options.proxyProtocol?.networks ?? []
        require(proxies.isEmpty == (values["--proxy-from"] == nil), "the proxies")
    }

    private static func checkConnect(_ settings: ConnectSettings, _ values: [String: String]) {
        let backoff = settings.backoff
        require(isRight(settings.timeout, values["--timeout"], usual: 10), "the timeout")
        require(isRight(backoff.initial, values["--retry-initial"], usual: 3), "the first delay")
        let cap = Double(backoff.cap / .seconds(1))
        let initial = Double(backoff.initial / .seconds(1))
        require(isRight(backoff.cap, values["--retry-cap"], usual: max(60, initial)), "cap \(cap)")
        require(backoff.attempts == number(values["--retry-attempts"], 8), "the attempts")
        require("\(backoff.jitter)" == values["--jitter"] ?? "equal", "the jitter")
        require(backoff.multiplier == Double(values["--retry-multiplier"] ?? "2"), "the factor")
        // What the demo goes on to do with it.
        var generator = SplitMix64(seed: 1)
        for attempt in [1, 2, 1000] {
            guard let delay = backoff.delay(beforeAttempt: attempt, using: &generator) else {
                require(attempt > backoff.attempts!, "no delay for attempt \(attempt)")
                continue
            }
            require(delay > .zero && delay <= backoff.cap, "delay \(delay)")
        }
    }

    private static func number(_ text: String?, _ usual: Int?) -> Int? {
        text.map { Int($0)! } ?? usual
    }

    /// Whether a duration is what was asked for, to a nanosecond or a billionth of it.
    private static func isRight(_ duration: Duration, _ text: String?, usual: Double) -> Bool {
        let seconds = text.map { Double($0)! } ?? usual
        return abs(duration / .seconds(1) - seconds) <= max(1e-9, seconds * 1e-9)
            && (text == nil || duration > .zero)
    }
}
