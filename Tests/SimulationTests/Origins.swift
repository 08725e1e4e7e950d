// What a new session says of whom it is with: its peer, or the client of the proxy that is its
// peer.
import TronTestKit

@testable import Tron

enum Origins {
    /// Judges a session that begins, before anything else is counted of it.
    static func judge(
        _ session: Session, _ end: End, _ options: ServerOptions, _ run: Run, isUnix: Bool
    ) {
        guard let caller = end.other else { return }
        guard options.proxyProtocol != nil else {
            run.expect(session.proxied == nil, "session \(session.id) seems to come by a proxy")
            return run.expect(
                session.remoteAddress == end.remote || isUnix,
                "session \(session.id) is with \(words(end.remote)), and says "
                    + words(session.remoteAddress))
        }
        guard caller.isProxy, let header = caller.header, case .client(let client) = header.meaning
        else { return run.fail("session \(session.id) begins without a proxy's header") }
        let length = header.bytes.count
        run.expect(
            end.receivedTotal >= length, "session \(session.id) begins before its header's end")
        // The header is none of the session's.
        end.receivedTotal -= length
        guard let told = session.proxied else {
            return run.fail("session \(session.id) does not know its proxy")
        }
        run.expect(
            session.remoteAddress == client ?? caller.local && told.sourceAddress == client
                && told.proxyAddress == caller.local,
            "session \(session.id) says \(told) of \(words(client))")
        run.expect(
            told.version == header.version && told.isLocal == header.isLocal
                && told.destinationAddress == header.destination
                && told.uniqueID == header.uniqueID,
            "session \(session.id) says \(told) of a header that says otherwise")
        run.met(header.version == 1 ? .proxiedByLine : .proxiedInBinary)
    }

    private static func words(_ address: SocketAddress?) -> String {
        address.map { "\($0)" } ?? "nobody"
    }
}
