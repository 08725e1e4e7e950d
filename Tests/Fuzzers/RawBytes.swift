// Whether bytes are those that were expected.
import Glibc

extension UnsafeRawBufferPointer {
    /// memcmp, because each comparison in Swift is one more that libFuzzer looks at.
    func holds(_ expected: [UInt8]) -> Bool {
        expected.withUnsafeBytes { holds($0) }
    }

    func holds(_ expected: UnsafeRawBufferPointer) -> Bool {
        guard count == expected.count, let start = baseAddress else {
            return count == expected.count
        }
        return memcmp(start, expected.baseAddress!, count) == 0
    }
}
