// A NATS server in the hands of a test: as much of the protocol as a node speaks.
import Tron
import TronTestKit

/// A server of a simulated network. It routes by whole subjects, and does what it is told beyond
/// that: lose, repeat, fall silent, be killed.
final class ScriptedBroker {
    let address: String
    let name: String
    private let network: SimulatedNetwork
    private(set) var links: [Link] = []
    /// Members of its INFO beside `max_payload`.
    var info = ""
    var maximumPayload = 1 << 20
    /// It reads, and says nothing.
    var isSilent = false
    /// How often a message is passed on: 0 loses it, 2 repeats it.
    var copies: (_ subject: String) -> Int = { _ in 1 }
    private(set) var isRunning = false
    /// All connections that it ever had.
    private(set) var accepted = 0

    final class Link {
        let peer: SimulatedPeer
        var input: [UInt8] = []
        var subscriptions: [String: String] = [:]
        var connect: String?
        var published = 0

        init(_ peer: SimulatedPeer) { self.peer = peer }
    }

    init(_ network: SimulatedNetwork, at address: String, named name: String) throws {
        self.network = network
        self.address = address
        self.name = name
        try start()
    }

    func start() throws {
        isRunning = true
        try network.listen(on: address, named: name) { [unowned self] peer in accept(peer) }
    }

    /// As `kill -9` does.
    func kill() throws {
        isRunning = false
        try network.stopListening(on: address)
        let all = links
        links = []
        for link in all {
            link.peer.onChange = { _ in }
            link.peer.reset()
        }
    }

    /// Says something to all, whatever it is.
    func say(_ text: String) { for link in links { link.peer.send(text) } }

    func sayInfo() { say(infoLine) }

    /// The subjects that somebody has subscribed to, each as often as that is so.
    var subjects: [String] { links.flatMap { $0.subscriptions.values }.sorted() }

    private var infoLine: String {
        let rest = info.isEmpty ? "" : ",\(info)"
        return "INFO {\"server_name\":\"\(name)\",\"max_payload\":\(maximumPayload)\(rest)} \r\n"
    }

    private func accept(_ peer: SimulatedPeer) {
        accepted += 1
        let link = Link(peer)
        links.append(link)
        peer.onChange = { [unowned self, weak link] peer in
            guard let link else { return }
            link.input += peer.take()
            while take(from: link) {}
            if peer.hasEnded || peer.isBroken {
                links.removeAll { $0 === link }
                if peer.hasEnded { peer.close() }
            }
        }
        if !isSilent { peer.send(infoLine) }
    }

    /// False when no whole line, with what belongs to it, is there.
    private func take(from link: Link) -> Bool {
        guard let end = link.input.firstIndex(of: 10) else { return false }
        // Without the CR, which is one character with an LF that follows it.
        let line = String(decoding: link.input[..<max(0, end - 1)], as: UTF8.self)
        let words = line.split(separator: " ").map(String.init)
        if words.first == "PUB" {
            guard let count = Int(words[words.count - 1]), link.input.count >= end + 1 + count + 2
            else { return false }
            let payload = Array(link.input[(end + 1)..<(end + 1 + count)])
            link.input.removeFirst(end + 1 + count + 2)
            link.published += 1
            route(payload, to: words[1], from: link)
            return true
        }
        link.input.removeFirst(end + 1)
        if !isSilent { answer(words, line, link) }
        return true
    }

    private func answer(_ words: [String], _ line: String, _ link: Link) {
        switch words.first {
        case "CONNECT": link.connect = line
        case "SUB": link.subscriptions[words[2]] = words[1]
        case "UNSUB": link.subscriptions[words[1]] = nil
        case "PING": link.peer.send("PONG\r\n")
        case "PONG": break
        default: link.peer.send("-ERR 'Unknown Protocol Operation'\r\n")
        }
    }

    private func route(_ payload: [UInt8], to subject: String, from sender: Link) {
        guard !isSilent else { return }
        for _ in 0..<copies(subject) { publish(payload, to: subject, except: sender) }
    }

    /// Passes a payload on, as if somebody had published it.
    func publish(_ payload: [UInt8], to subject: String, except sender: Link? = nil) {
        for link in links where link !== sender {
            for (number, subscribed) in link.subscriptions where subscribed == subject {
                let head = "MSG \(subject) \(number) \(payload.count)\r\n"
                link.peer.send(Array(head.utf8) + payload + Array("\r\n".utf8))
            }
        }
    }
}
