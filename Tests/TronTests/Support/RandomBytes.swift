// Random bytes for the tests, cheap enough to be drawn in every step of a debug build.
import Glibc

/// A supply of random bytes, made once: what is drawn from it is a slice at a random place.
final class RandomBytes {
    private let bytes: UnsafeMutableRawBufferPointer

    init(count: Int = 1 << 16, using generator: inout SeededGenerator) {
        bytes = .allocate(byteCount: count, alignment: 8)
        for offset in stride(from: 0, to: count, by: 8) {
            bytes.storeBytes(of: generator.next(), toByteOffset: offset, as: UInt64.self)
        }
    }

    deinit { bytes.deallocate() }

    /// Up to `limit` bytes; all magnitudes of length are as likely, 0 included.
    func slice(
        limit: Int = 16_384, using generator: inout SeededGenerator
    ) -> UnsafeRawBufferPointer {
        let magnitude = Int.random(
            in: 0...limit.bitWidth - limit.leadingZeroBitCount,
            using: &generator)
        let count = Int.random(in: 0...min(limit, (1 << magnitude) - 1), using: &generator)
        let start = Int.random(in: 0...bytes.count - count, using: &generator)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
    }
}

extension UnsafeRawBufferPointer {
    /// memcmp, because a comparison byte by byte takes long in a debug build.
    func equals(_ other: ArraySlice<UInt8>) -> Bool {
        other.withUnsafeBytes { equals($0) }
    }

    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let base = baseAddress, let otherBase = other.baseAddress else { return count == 0 }
        return memcmp(base, otherBase, count) == 0
    }
}
