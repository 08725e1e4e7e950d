// The values that options of the demos have alike: numbers, addresses, networks.
import Tron

extension Option {
    // Digits alone: Swift's own parsers would also take "+80", "0x50" and "nan".
    static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    static func number(
        _ text: String, in range: ClosedRange<Int>
    ) throws(UsageError) -> Int {
        guard text.utf8.allSatisfy(digits.contains), let number = Int(text) else {
            throw UsageError("\(text) is not a number")
        }
        guard range.contains(number) else {
            throw UsageError("\(number) is not within \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    static func address(_ text: String) throws(UsageError) -> SocketAddress {
        do throws(AddressError) {
            return try SocketAddress(text)
        } catch {
            throw UsageError("\(error)")
        }
    }

    /// A port alone is one of this machine.
    static func addressOrPort(_ text: String) throws(UsageError) -> SocketAddress {
        guard text.utf8.allSatisfy(digits.contains) else { return try address(text) }
        return .loopback(port: UInt16(try number(text, in: 0...65_535)))
    }

    static func network(_ text: String) throws(UsageError) -> Network {
        do throws(NetworkError) {
            return try Network(text)
        } catch {
            throw UsageError("\(error)")
        }
    }
}
