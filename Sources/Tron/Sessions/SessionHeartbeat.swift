// Heartbeats: signs of life while nothing else is sent.

extension Session {
    private static let question: UInt8 = 0
    private static let answer: UInt8 = 1

    /// The session stands: its deadlines run from now.
    func begin() {
        if settings.options.heartbeat != nil { onEveryPacket { _ in false } }
        rearm()
    }

    /// While output waits none is needed: its acknowledgement is the sign of life.
    func sendHeartbeatIfDue() {
        guard let heartbeat = settings.options.heartbeat, state == .open,
            registry.now - lastSignOfLife >= settings.heartbeatInterval
        else { return }
        if outbound.isEmpty { send(category: heartbeat.category, data: [Self.question]) }
        rareState?.lastHeartbeat = registry.now
    }

    var lastSignOfLife: Int64 { max(lastSend, rareState?.lastHeartbeat ?? 0) }

    /// Whether the packet is a heartbeat, which no handler sees.
    func takesHeartbeat(_ packet: borrowing Packet) -> Bool {
        guard Int(packet.category) == settings.heartbeatCategory, packet.sequence == -1,
            let heartbeat = settings.options.heartbeat
        else { return false }
        let byte = unsafe packet.data.withUnsafeBytes { unsafe $0.count == 1 ? $0[0] : nil }
        if heartbeat.answers && byte == Self.question {
            send(category: heartbeat.category, data: [Self.answer])
        }
        return true
    }
}
