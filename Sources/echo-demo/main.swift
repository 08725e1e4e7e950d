// minimal
import Tron
let reactor = try Reactor()
var options = ServerOptions()
options.session.limits.dataLength = 16 << 20
options.session.idle.either = .seconds(60)
let server = try reactor.listen(on: "127.0.0.1:\(CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "9000")", options: options) { session in
    session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
    //session.onClose { session, reason in print(session.id, reason) }
}
try reactor.onSignal(.interrupt, .terminate) { _ in
    server.drain(within: .seconds(5)) { report in reactor.stop() }
}
try reactor.run()
