// What the server keeps, and what it is asked: an actor on the reactor's own thread.
import Tron

/// What a packet asks for.
enum Request: Sendable {
    case get(key: [UInt8])
    case set(key: [UInt8], value: [UInt8])
    case remove(key: [UInt8])

    /// Nil when the packet is no request.
    init?(_ packet: borrowing Packet) {
        var input = ByteReader(packet.data)
        do throws(ByteReaderError) {
            let key = try input.readLengthPrefixed(as: UInt8.self).copy()
            switch packet.category {
            case 1 where input.isAtEnd: self = .get(key: key)
            case 2: self = .set(key: key, value: input.remaining.copy())
            case 3 where input.isAtEnd: self = .remove(key: key)
            default: return nil
            }
        } catch {
            return nil
        }
    }
}

/// The values. Its code runs on the reactor's thread, so that asking it leaves no thread.
actor Store {
    /// Bytes of keys and values together, and of what the dictionary takes beside them: 256 MiB.
    static let capacity = 256 << 20
    /// Two arrays' headers and a place in a table that is half full, after it has grown.
    private static let bytesPerEntry = 160

    private let executor: ReactorExecutor
    private var values: [[UInt8]: [UInt8]] = [:]
    private var bytes = 0

    init(on executor: ReactorExecutor) { self.executor = executor }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private static func size(_ key: [UInt8], _ value: [UInt8]) -> Int {
        bytesPerEntry + key.count + value.count
    }

    /// The answer's data.
    func answer(_ request: Request) -> [UInt8] {
        switch request {
        case .get(let key):
            guard let value = values[key] else { return [0] }
            return [1] + value
        case .set(let key, let value):
            let before = values[key].map { Self.size(key, $0) } ?? 0
            let after = bytes - before + Self.size(key, value)
            if after > Self.capacity { return [2] }
            bytes = after
            return values.updateValue(value, forKey: key) == nil ? [0] : [1]
        case .remove(let key):
            guard let value = values.removeValue(forKey: key) else { return [0] }
            bytes -= Self.size(key, value)
            return [1]
        }
    }
}
