// What the suites of forwarding share: packets that leave as they came, and who sends them on.
@testable import Tron

/// A suite of sessions that send on what they receive.
protocol ForwardingSuite {}

extension ForwardingSuite {
    static var text: String { String(repeating: "as it came ", count: 182) }
    static var length: Int { 2013 }

    func stage(
        _ setup: @escaping (Session, Log) -> Void,
        options change: (inout SessionOptions) -> Void = { _ in }
    ) throws -> SinkBench {
        var options = SinkBench.options
        change(&options)
        return try SinkBench(options, setup: setup)
    }

    static func packets(_ numbers: Range<Int32>, of text: String = text) -> [UInt8] {
        numbers.flatMap { wire(text, sequence: $0) }
    }

    /// Has a session receive these bytes in one batch. Afterwards others lie where they lay.
    static func receive(_ bytes: [UInt8], on session: Session) {
        let buffer = session.registry.receiveBuffer
        buffer.copyBytes(from: bytes)
        _ = session.deliver(UnsafeRawBufferPointer(rebasing: buffer[..<bytes.count]))
        buffer.initializeMemory(as: UInt8.self, repeating: 0xEE)
    }

    static func echo(_ session: Session, _ log: Log) {
        session.onPacket { session, packet in session.reply(to: packet, data: packet.data) }
    }

    /// Those of the first session leave on the second.
    static func relay(_ session: Session, _ log: Log) {
        session.onPacket { _, packet in
            log.sessions[1].send(
                sequence: packet.sequence, category: packet.category, data: packet.data)
        }
    }
}
