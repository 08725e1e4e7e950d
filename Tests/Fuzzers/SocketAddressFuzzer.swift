// Fuzzes the text form of addresses: its meaning, its way to print and back, the kernel's form.

/// An input is a text.
enum SocketAddressFuzzer {
    static func run(_ input: UnsafeRawBufferPointer) {
        // Invalid UTF-8 is repaired here; no String can hold it.
        let text = String(decoding: input, as: UTF8.self)
        let expected = AddressReader.read(Array(text.utf8))
        do throws(AddressError) {
            let address = try SocketAddress(text)
            require(meaning(of: address) == expected, "\(address), but \(expected)")
            checkWays(of: address)
        } catch {
            require(error.text == text, "the error's text")
            require((error.reason == .empty) == text.isEmpty, "empty")
            require((error.reason == .nulByte) == text.utf8.contains(0), "NUL")
            require((error.reason == .hostName) == (expected == .name), "\(error), \(expected)")
            require(expected == .name || expected == .nothing, "\(error), but \(expected)")
            require(!error.description.contains("\n"), "a description of more than a line")
        }
    }

    private static func meaning(of address: SocketAddress) -> AddressReader.Meaning {
        switch address {
        case .ipv4(let host, let port):
            .ipv4([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: host >> $0) }, port: Int(port))
        case .ipv6(let high, let low, let scope, let port):
            .ipv6(
                [high, low].flatMap { half in
                    [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> $0) }
                }, zone: scope, port: Int(port))
        case .unix(let path): .path(Array(path.description.utf8))
        }
    }

    private static func checkWays(of address: SocketAddress) {
        let text = address.description
        require((try? SocketAddress(text)) == address, "\(text) does not read back")
        let copy = address.withRawAddress { SocketAddress(raw: $0, length: $1) }
        require(copy == address, "\(text) does not survive the kernel's form")
        // Whatever the kernel might write, at any length: read without going past its end.
        address.withRawAddress { raw, length in
            for end in 0...length {
                let exact = UnsafeMutableRawBufferPointer.allocate(
                    byteCount: Int(end), alignment: 8)
                defer { exact.deallocate() }
                exact.copyMemory(from: .init(start: raw, count: Int(end)))
                if end > 0 { _ = SocketAddress(raw: exact.baseAddress!, length: end) }
            }
        }
        if let port = address.port {
            require(address.withPort(port) == address, "the same port makes another address")
            require(address.withPort(port ^ 1).hostKey == address.hostKey, "the host's key")
        }
    }
}
