// The array of events that a wait fills.

/// The array of `struct epoll_event` that a wait fills; it is packed on x86_64 alone.
package enum EventList {
    #if arch(x86_64)
        private static let stride = 12
        private static let tokenOffset = 4
    #else
        private static let stride = 16
        private static let tokenOffset = 8
    #endif

    package static func put(
        _ bits: UInt32, _ token: UInt64, at index: Int, in list: UnsafeMutableRawPointer
    ) {
        let event = unsafe list + index * stride
        unsafe event.storeBytes(of: bits, as: UInt32.self)
        unsafe event.storeBytes(of: token, toByteOffset: tokenOffset, as: UInt64.self)
    }
}
