// What the tests ask of example-key-value, by its help: as any client of it would.
import TronTestKit

/// Requests of example-key-value.
enum StoreRequest {
    static let get: UInt8 = 1
    static let set: UInt8 = 2
    static let remove: UInt8 = 3

    /// The data of a request.
    static func data(_ key: String, _ value: String = "") -> [UInt8] {
        [UInt8(key.utf8.count)] + Array(key.utf8) + Array(value.utf8)
    }
}

extension SimulatedPeer {
    func set(_ key: String, to value: String, sequence: Int32) {
        send(
            sequence: sequence, category: StoreRequest.set, data: StoreRequest.data(key, value))
    }

    func get(_ key: String, sequence: Int32) {
        send(sequence: sequence, category: StoreRequest.get, data: StoreRequest.data(key))
    }

    /// The answer to a request, if it has come.
    func answer(to sequence: Int32) -> [UInt8]? {
        packets.first { $0.sequence == sequence }?.data
    }
}
