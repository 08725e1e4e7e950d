// Tells each client in a line what its proxy told of it, and then sends back what it receives.
import Glibc
import Tron

/// `proxy-witness NETWORK`, that of the proxies. SIGTERM ends it, and it tells what it refused.
@main struct ProxyWitness {
    static func main() throws {
        guard CommandLine.arguments.count == 2 else { exit(64) }
        var options = ServerOptions()
        options.proxyProtocol = try .required(from: [Network(CommandLine.arguments[1])])
        let reactor = try Reactor()
        let server = try reactor.listen(on: "127.0.0.1:0", options: options) { session in
            session.send(bytes: testimony(of: session) + "\n")
            session.onFrames(of: .lines()) { session, line in
                session.send(bytes: line.text + "\n")
            }
        }
        try reactor.onSignal(.terminate) { _ in
            let counters = server.counters
            say(
                "accepted \(counters.accepted), untrusted \(counters.proxy.untrusted), "
                    + "faulty \(counters.proxy.faulty)")
            reactor.drain(within: .seconds(1))
        }
        say("listening on \(server.address)")
        try reactor.run()
    }

    private static func testimony(of session: Session) -> String {
        guard let proxied = session.proxied else { return "no proxy" }
        var words = [
            "version \(proxied.version)", "local \(proxied.isLocal)",
            "client \(session.remoteAddress?.description ?? "none")",
            "destination \(proxied.destinationAddress?.description ?? "none")",
            "proxy \(proxied.proxyAddress?.description ?? "none")",
            "authority \(text(proxied.authority))", "alpn \(text(proxied.alpn))",
            "id \(text(proxied.uniqueID))",
        ]
        if let tls = proxied.tls {
            words += [
                "tls \(text(tls.version))", "cipher \(text(tls.cipher))",
                "certificate \(tls.hasCertificate)", "verified \(tls.isVerified)",
                "name \(text(tls.commonName))", "signed \(text(tls.signatureAlgorithm))",
                "key \(text(tls.keyAlgorithm))",
            ]
        } else {
            words.append("no tls")
        }
        return words.joined(separator: "; ")
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private static func text(_ bytes: [UInt8]?) -> String {
        bytes.map { String(decoding: $0, as: UTF8.self) } ?? "none"
    }
}
