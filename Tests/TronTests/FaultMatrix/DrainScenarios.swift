// What a drain does while a call fails: scenarios of the fault matrix.
@testable import Tron

extension FaultScenario {
    static func drainAndStop(_ stage: FaultStage) {
        var options = ServerOptions()
        options.limits.maximumSessions = 3
        stage.listen(options: options)
        let ledger = stage.ledger
        var peers: [Peer?] = []
        stage.at(1) { for _ in 0..<4 { peers.append(stage.connectPeer()) } }
        stage.at(100) {
            peers.first??.finish()
            guard let server = stage.server else { return }
            ledger.promise("drain")
            server.drain(within: .milliseconds(100), spread: .milliseconds(50)) { report in
                ledger.keep("drain", "\(report.closed + report.aborted) sessions ended")
            }
        }
        stage.at(160) { for peer in peers.prefix(2) { peer?.finish() } }
        stage.at(300) { stage.server?.stop(sessions: .abort) }
    }

    /// Those who have just connected are served before they are told of the drain.
    static func drainOfWhoWaits(_ stage: FaultStage) {
        drain(stage, on: "127.0.0.1:0", at: 2)
    }

    static func drainOfUnixSocket(_ stage: FaultStage) {
        drain(stage, on: Bench.unixName(), at: 50)
    }

    private static func drain(_ stage: FaultStage, on address: String, at time: Int) {
        var options = ServerOptions()
        options.drainWindow = .milliseconds(50)
        stage.listen(on: address, options: options) { session, _ in
            session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
        }
        let ledger = stage.ledger
        var peers: [Peer?] = []
        stage.at(1) {
            for _ in 0..<2 {
                let peer = stage.connectPeer()
                peer?.send(wire("waiting"))
                peers.append(peer)
            }
        }
        stage.at(time) {
            guard let server = stage.server else { return }
            ledger.promise("drain")
            server.drain(within: .milliseconds(200)) { report in
                ledger.keep("drain", "\(report.closed + report.aborted) sessions ended")
            }
        }
        stage.at(150) { for peer in peers { peer?.finish() } }
    }
}
