// All clients together: how they begin and end, and what they have counted.
import Glibc
import Tron

/// Any number of clients on one reactor.
final class Crowd {
    let reactor: Reactor
    let ledger: Ledger
    var counts = Counts()
    private let count: Int
    private var clients: [RestartClient] = []
    /// Those that a server has greeted on the connection that they have.
    private var present = 0
    private var outstanding = 0
    private(set) var isEnding = false
    private var wereAllThere = false

    init(_ reactor: Reactor, count: Int, ledger: Ledger) {
        self.reactor = reactor
        self.count = count
        self.ledger = ledger
    }

    func run(to address: SocketAddress) throws {
        try reactor.onSignal(.terminate) { [self] _ in
            isEnding = true
            endIfAllIsOver()
        }
        clients = (0..<count).map { RestartClient($0, of: self, to: address) }
        try reactor.run()
        ledger.close()
        say(counts.description)
    }

    func isAway() { present -= 1 }

    func isBack() {
        present += 1
        if present == count && !wereAllThere {
            wereAllThere = true
            say("all there")
        }
        endIfAllIsOver()
    }

    func asks() {
        outstanding += 1
        counts.sent += 1
    }

    func hasOutcome() {
        outstanding -= 1
        endIfAllIsOver()
    }

    private func endIfAllIsOver() {
        if isEnding && outstanding == 0 && present == count { reactor.stop() }
    }

    private func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}
