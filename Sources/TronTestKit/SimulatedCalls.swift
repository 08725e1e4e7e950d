// What the simulated system calls do, with the faults that befall each.
import Glibc
import Tron

extension SimulatedKernel {
    /// A call is refused, and the oracle remembers what the library was told.
    package func refused(_ file: OpenFile, _ call: SystemError.Call, _ code: Int32) -> Int {
        run.tell("\(call.rawValue) \(file.number) is refused: \(SystemError(call, code: code))")
        if let end = file.end {
            end.refusals.append(SystemError(call, code: code))
            end.observer?.wasRefused()
        }
        return -Int(code)
    }

    package func open(_ kind: OpenFile.Kind) -> Int {
        if case .socket = kind, let error = exhaustion() { return -Int(error) }
        let file = table.open(kind, run)
        if case .socket = kind { run.note(.socket, Int(file.number)) }
        return Int(file.number)
    }

    /// The error of a call that would make a descriptor, if it is to have one.
    private func exhaustion() -> Int32? {
        if table.isFull || run.strikes(.processLimit) {
            run.met(.processLimit)
            return EMFILE
        }
        if run.strikes(.systemLimit) {
            run.met(.systemLimit)
            return ENFILE
        }
        if run.strikes(.noBuffers) {
            run.met(.noBuffers)
            return run.chance.pick(ENOBUFS, ENOMEM)
        }
        return nil
    }

    private func isInterrupted() -> Bool {
        guard run.strikes(.interruption) else { return false }
        run.met(.interruption)
        return true
    }

    // MARK: Connections

    package func bind(_ end: End, to address: SocketAddress) -> Int {
        var wanted = address
        if address.port == 0 {
            wanted = address.withPort(UInt16(20_000 + run.nextSerial() % 10_000))
        }
        if network.isBound(wanted, at: place, sharing: end.reusesPort) {
            return -Int(EADDRINUSE)
        }
        run.note(.bind, Int(wanted.port ?? 0))
        end.local = wanted
        if case .unix(let path) = wanted, let file = path.file {
            if network.files[file] != nil { return -Int(EADDRINUSE) }
            network.files[file] = UInt64(run.nextSerial())
        }
        return 0
    }

    package func accept(
        _ file: OpenFile, _ address: UnsafeMutableRawPointer, _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let listener = file.listener else { return -Int(EINVAL) }
        if isInterrupted() { return -Int(EINTR) }
        guard !listener.queue.isEmpty else { return -Int(EAGAIN) }
        if let error = exhaustion() { return -Int(error) }
        file.isUsed()
        let end = listener.queue.removeFirst()
        if run.strikes(.abortedConnection) {
            run.met(.abortedConnection)
            network.abandon(end)
            return -Int(run.chance.pick(ECONNABORTED, ECONNABORTED, EPROTO, EHOSTUNREACH))
        }
        let accepted = table.open(.socket(end), run)
        end.wasAccepted = true
        run.note(.accept, Int(file.number), Int(accepted.number), "is connection \(end.serial)")
        _ = unsafe put(end.remote ?? end.local, address, length)
        return Int(accepted.number)
    }

    package func connect(_ file: OpenFile, _ end: End, to address: SocketAddress) -> Int {
        guard end.phase == .fresh else { return -Int(EISCONN) }
        run.note(.connect, Int(file.number), Int(address.port ?? 0), "as connection \(end.serial)")
        end.remote = address
        end.phase = .connecting
        if address.isUnix { return connectAtOnce(file, end, to: address) }
        if run.strikes(.connectNever) {
            run.met(.connectNever)
        } else if run.strikes(.connectRefused) {
            let code = run.chance.pick(ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL, EHOSTUNREACH)
            if run.chance.hits(300) {
                run.met(.connectRefused)
                end.phase = .over
                return refused(file, .connect, code)
            }
            network.after(end.latency) { self.network.refuse(end) }
        } else {
            var delay = end.latency
            if run.strikes(.connectSlow) {
                run.met(.connectSlow)
                delay += run.chance.time(upToMilliseconds: 3000)
            }
            network.after(delay) { self.network.knock(end, at: address) }
        }
        return isInterrupted() ? -Int(EINTR) : -Int(EINPROGRESS)
    }

    /// A Unix socket is connected, or refused, before the call returns.
    private func connectAtOnce(_ file: OpenFile, _ end: End, to address: SocketAddress) -> Int {
        if network.isCrowded(address) {
            end.phase = .fresh
            return refused(file, .connect, EAGAIN)
        }
        network.knock(end, at: address)
        return end.phase == .connected ? 0 : refused(file, .connect, end.takeError())
    }

    package func put(
        _ value: SocketAddress, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        unsafe value.withRawAddress { raw, count in
            unsafe address.copyMemory(from: raw, byteCount: Int(count))
            unsafe length.pointee = count
        }
        return 0
    }

    // MARK: Bytes

    /// EAGAIN though there would be something to do, perhaps several times in a row.
    private func isStormy(_ file: OpenFile) -> Bool {
        if file.stormLeft == 0 && run.strikes(.storm) { file.stormLeft = run.chance.between(1, 5) }
        guard file.stormLeft > 0 else { return false }
        file.stormLeft -= 1
        file.isUsed()
        run.met(.storm)
        return true
    }

    package func receive(
        _ file: OpenFile, _ first: UnsafeMutableRawBufferPointer,
        _ second: UnsafeMutableRawBufferPointer?
    ) -> Int {
        guard let end = file.end else { return -Int(ENOTSOCK) }
        if isInterrupted() { return -Int(EINTR) }
        guard end.readiness & Ready.readable != 0 else { return -Int(EAGAIN) }
        if isStormy(file) { return -Int(EAGAIN) }
        file.isUsed()
        if run.strikes(.noBuffers) { return refused(file, .recv, ENOMEM) }
        guard !end.inbox.isEmpty else {
            if end.error != 0 { return refused(file, .recv, end.takeError()) }
            end.endWasRead = true
            run.note(.receive, Int(file.number), 0, "end of stream")
            return 0
        }
        let asked = unsafe first.count + (second?.count ?? 0)
        var count = min(asked, end.inbox.count)
        if count > 1 && run.strikes(.shortRead) {
            run.met(.shortRead)
            count = run.chance.between(1, count - 1)
        }
        network.receive(end, count) { bytes in
            let head = bytes.prefix(first.count)
            unsafe first.copyBytes(from: head)
            unsafe second?.copyBytes(from: bytes.dropFirst(head.count))
        }
        end.receivedTotal += count
        end.lastReceived = run.turnStart
        run.note(.receive, Int(file.number), count, "bytes of \(asked) asked for")
        return count
    }

    package func send(_ file: OpenFile, _ pieces: [UnsafeRawBufferPointer]) -> Int {
        guard let end = file.end else { return -Int(ENOTSOCK) }
        end.observer?.offered(unsafe pieces.map(\.count))
        if isInterrupted() { return -Int(EINTR) }
        if end.phase != .connected || end.writingEnded || end.isHungUp {
            let pending = end.takeError()
            return refused(file, .send, pending == 0 ? EPIPE : pending)
        }
        if run.strikes(.noBuffers) {
            run.met(.noBuffers)
            return refused(file, .send, ENOBUFS)
        }
        let asked = unsafe pieces.reduce(0) { $0 + $1.count }
        if unsafe pieces.count == 3 && !pieces[2].isEmpty { run.met(.sentThrough) }
        if isStormy(file) || end.room == 0 { return -Int(EAGAIN) }
        var most = asked
        if asked > 1 && run.strikes(.shortWrite) { most = run.chance.between(1, asked - 1) }
        let bytes = unsafe pieces.flatMap(Array.init).prefix(most)
        let count = network.send(end, bytes)
        if count < asked { run.met(.shortWrite) }
        file.isUsed()
        end.sentTotal += count
        end.lastSent = run.turnStart
        end.observer?.wrote(bytes.prefix(count))
        run.note(.send, Int(file.number), count, "bytes of \(asked)")
        return count
    }

    /// An eventfd's counter.
    package func readCounter(_ file: OpenFile, _ bytes: UnsafeMutableRawPointer) -> Int {
        if isInterrupted() { return -Int(EINTR) }
        guard file.pending != 0 else { return -Int(EAGAIN) }
        file.isUsed()
        unsafe bytes.storeBytes(of: file.pending, as: UInt64.self)
        file.pending = 0
        signalMayArrive(file)
        return 8
    }
}
