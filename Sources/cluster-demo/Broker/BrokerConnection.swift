// A connection's way, from the server's INFO to its end; and which servers are tried.
import Tron

extension Broker {
    func greet(_ session: Session) {
        phase = .greeting(session)
        session.onFrames(of: NATSFraming()) { [self] session, frame in take(frame, on: session) }
        session.onClose { [self] _, reason in lost(reason) }
        reactor.schedule(after: options.patience) { [self] in
            if phase.session === session, !isReady { session.abort() }
        }
    }

    private func take(_ frame: borrowing Frame<BrokerFrame>, on session: Session) {
        switch frame.layout {
        case .message(let subscription, let payload):
            onMessage(subscription, frame.bytes.extracting(payload))
        case .ping: session.send(bytes: "PONG\r\n")
        case .pong: answered(session)
        case .info(let json): learn(frame.bytes.extracting(json).copy(), session)
        case .error(let text):
            onEvent(.complaint(BrokerComplaint(frame.bytes.extracting(text).text)))
        case .ok: break
        }
    }

    private func learn(_ json: [UInt8], _ session: Session) {
        do throws(JSONFault) {
            info = try ServerInfo(json)
        } catch {
            onEvent(.unusable("its INFO cannot be read: \(error)"))
            return session.abort()
        }
        if info.requiresTLS || info.requiresAuthentication {
            onEvent(.unusable(info.requiresTLS ? "it requires TLS" : "it requires a password"))
            return session.abort()
        }
        follow(info.servers, from: session)
        if case .greeting = phase { introduce(session) }
        if info.isLameDuck { move(session) }
    }

    /// Subscriptions belong to a connection, and are made again on each.
    private func introduce(_ session: Session) {
        phase = .confirming(session)
        session.send(
            bytes: """
                CONNECT {"verbose":false,"pedantic":false,"tls_required":false,"echo":false,\
                "headers":false,"no_responders":false,"protocol":1,"lang":"swift",\
                "version":"0.1.0","name":"\(options.name)"}\r\n
                """)
        for (number, subject) in subscriptions { sendSubscription(number, subject, session) }
        session.send(bytes: "PING\r\n")
    }

    private func answered(_ session: Session) {
        if case .confirming = phase {
            phase = .ready(session)
            client?.confirm(session)
            isTold = false
            onEvent(.ready(server: info.name))
            return
        }
        for call in confirmations.answered() { call(true) }
        if confirmations.isAnyWaiting { ping() }
    }

    private func lost(_ reason: CloseReason) {
        phase = .away
        isMoving = false
        for call in confirmations.lost() { call(false) }
        if hasLeft || reason == .reactorStopped { return }
        onEvent(.lost("\(reason)"))
    }
}

// MARK: - Other servers

extension Broker {
    /// The next attempt tries the others first: this one has been lost, then, or is to be left.
    private func follow(_ told: [SocketAddress], from session: Session) {
        let current = session.remoteAddress
        var known = options.servers + told.filter { !options.servers.contains($0) }
        known.removeAll { $0 == current }
        servers = known.shuffled() + (current.map { [$0] } ?? [])
        client?.setAddresses(servers)
    }

    /// Leaves a server that is about to end, if there is another. What is queued is sent first.
    private func move(_ session: Session) {
        guard servers.count > 1, !isMoving else { return }
        isMoving = true
        onEvent(.leaving)
        let delay = options.departure * Double.random(in: 0...1)
        reactor.schedule(after: delay) { session.close() }
    }
}
