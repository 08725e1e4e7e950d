// What the server keeps, and what it is asked: an actor on the threads of all tasks.
import Tron

/// What a packet asks for.
enum Request: Sendable {
    case get(key: [UInt8])
    case set(key: [UInt8], value: [UInt8])

    /// Nil when the packet is no request.
    init?(_ packet: borrowing Packet) {
        var input = ByteReader(packet.data)
        do throws(ByteReaderError) {
            let key = try input.readLengthPrefixed(as: UInt8.self).copy()
            switch packet.category {
            case 1 where input.isAtEnd: self = .get(key: key)
            case 2: self = .set(key: key, value: input.remaining.copy())
            default: return nil
            }
        } catch {
            return nil
        }
    }
}

/// The values.
actor Store {
    private let delay: Duration
    private var values: [[UInt8]: [UInt8]] = [:]

    init(delay: Duration) { self.delay = delay }

    /// The answer's data. What is set is there for others before its answer is.
    func answer(_ request: Request) async -> [UInt8] {
        switch request {
        case .get(let key):
            guard let value = values[key] else { return [0] }
            return [1] + value
        case .set(let key, let value):
            let before = values.updateValue(value, forKey: key)
            if delay > .zero { try? await Task.sleep(for: delay) }
            return before == nil ? [0] : [1]
        }
    }
}
