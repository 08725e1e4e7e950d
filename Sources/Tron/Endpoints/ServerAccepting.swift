// How a server accepts: in portions, within its limits, and resting when no descriptor is free.

extension Server {
    /// Accepts what waits, at most as many as a turn allows: the rest stays ready.
    func ready(_ readiness: Readiness) {
        guard descriptor.isOpen else { return }
        if readiness.isEmpty {
            noteWake()
            accepting.noteDescriptorFree()
            if accepting.wake(registry) { listenAgain() }
        }
        // Only who is told of a connection knows that one waits.
        if !readiness.isEmpty, let time = accepting.resumption(registry.now) {
            return pace(until: time)
        }
        for _ in 0..<options.limits.maximumAcceptsPerTurn {
            guard descriptor.isOpen, accepting.resumption(registry.now) == nil else { break }
            do throws(SystemError) {
                guard let accepted = try descriptor.accept() else { return queueIsEmpty() }
                accepting.noteSuccess(registry.now)
                admit(accepted)
            } catch {
                // Whatever else befell one connection did not befall the listener: accept(2) has
                // the list.
                if acceptFailed(error) {
                    cannotAccept()
                    return rest()
                }
            }
        }
        if isEmptying { lookAgain() }
    }

    private func admit(_ accepted: consuming Descriptor.Accepted) {
        if let rule = options.proxyProtocol, !rule.trusts(accepted.peer) {
            return refuse(accepted.peer, .untrustedProxy)
        }
        if let share { return admit(accepted, as: share) }
        if let arrivals, let rule = options.proxyProtocol {
            return awaitHeader(accepted, rule, arrivals)
        }
        guard host.count < options.limits.maximumSessions else {
            return refuse(accepted.peer, .sessions)
        }
        if options.limits.maximumSessionsPerAddress != nil {
            guard hasPlace(for: accepted.peer) else { return }
        }
        open(accepted.descriptor, .peer(accepted.peer), isInEpoll: false) { _ in }
    }

    /// Counts a session of this address, of which there may be too many: then its place is free
    /// again.
    func hasPlace(for peer: SocketAddress?) -> Bool {
        guard let limit = options.limits.maximumSessionsPerAddress, let host = peer?.hostKey else {
            return true
        }
        let isWithin =
            share?.shares.enter(host, limit: limit) ?? accepting.enter(host, limit: limit)
        if isWithin { return true }
        refuse(peer, .sessionsPerAddress)
        leavePlace()
        return false
    }

    /// A session, or what was to be one, does not count any more.
    @inline(__always)
    func left(_ session: Session) {
        if options.limits.maximumSessionsPerAddress != nil { leaveAddress(session.peer) }
        if share != nil {
            leavePlace()
            publishCount()
        }
    }

    @inline(never)
    private func leaveAddress(_ peer: SocketAddress?) {
        guard let host = peer?.hostKey else { return }
        if let share { share.shares.leave(host) } else { accepting.leave(host) }
    }

    /// A connection that had a place will be no session.
    func leavePlace() { share?.shares.leavePlace() }

    /// Tells the other servers of its address how many it has.
    func publishCount() {
        if let share { share.shares.counts.set(host.count + arrivalCount, at: share.index) }
    }

    /// Makes a connection a session. `begun` comes after the setup.
    @inline(__always)
    func open(
        _ descriptor: consuming Descriptor, _ origin: consuming Origin, isInEpoll: Bool,
        _ begun: (Session) -> Void
    ) {
        let session = Session(descriptor, origin: origin, host: host, registry: registry)
        do throws(SystemError) {
            try session.register(isInEpoll: isInEpoll)
        } catch {
            totals.failed += 1
            left(session)
            return endpoints.report(.acceptFailed(address, error))
        }
        host.add(session, of: self)
        if share != nil { publishCount() }
        totals.accepted += 1
        endpoints.report(.accepted(session.id, peer: session.peer))
        session.begin()
        setup?(session)
        begun(session)
        tellDrains { $0.joined(session) }
    }

    // MARK: Resting

    /// Whether accepting rests: no descriptor is free, or too many have failed.
    private func acceptFailed(_ error: SystemError) -> Bool {
        let isTooMany = accepting.noteFailure()
        if error.isExhaustion {
            endpoints.report(.outOfDescriptors(address, error))
            return true
        }
        totals.failed += 1
        endpoints.report(.acceptFailed(address, error))
        return isTooMany
    }

    /// Connections wait in the backlog, and the listener out of epoll's sight, where its readiness
    /// would spin. It goes on when a descriptor comes back, or to look after a pause.
    private func rest() {
        guard accepting.isListening, !accepting.isResting else { return }
        totals.exhaustions += 1
        suspend(until: registry.now + Accepting.pause)
        if accepting.starves() { registry.starved.append(key) }
    }

    /// The same for those that come faster than they may.
    private func pace(until time: Int64) {
        guard !accepting.isResting else { return }
        totals.ratePauses += 1
        endpoints.report(.acceptingPaced(address))
        suspend(until: time)
    }

    private func suspend(until time: Int64) {
        try? registry.epoll.modify(descriptor.number, [], token: key.rawValue)
        accepting.rest(registry.arm(key, at: time))
    }

    func expired(_ timer: TimerKey, payload: UInt32) {
        if payload == Self.emptyingTimer { return emptyingExpired() }
        if accepting.wake(registry) { listenAgain() }
        if isEmptying { lookAgain() }
    }

    private func listenAgain() {
        do throws(SystemError) {
            try registry.epoll.modify(descriptor.number, .readable, token: key.rawValue)
        } catch {
            // The kernel has no memory for it: deaf for another pause, not for ever.
            accepting.rest(registry.arm(key, at: registry.now + Accepting.pause))
        }
    }
}
