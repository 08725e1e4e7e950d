// The address under load, and connections to it.
import CBenchmark
import Glibc

/// An address that was looked up, as the socket calls take it.
struct Endpoint {
    private let address: [UInt8]
    private let family: Int32
    /// As the user wrote it.
    let text: String

    /// `HOST:PORT`, where the host is a name, an IPv4 address, or an IPv6 one in brackets.
    init(_ text: String) throws(Failure) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { throw Failure("\(text) is not HOST:PORT") }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(String(host), String(port), &hints, &found)
        guard code == 0, let first = unsafe found else {
            throw Failure(unsafe "\(text): \(String(cString: gai_strerror(code)))")
        }
        defer { unsafe freeaddrinfo(first) }
        let bytes = unsafe UnsafeRawBufferPointer(
            start: first.pointee.ai_addr, count: Int(first.pointee.ai_addrlen))
        address = unsafe Array(bytes)
        family = unsafe first.pointee.ai_family
        self.text = text
    }

    static func loopback(port: UInt16) throws(Failure) -> Endpoint {
        try Endpoint("127.0.0.1:\(port)")
    }

    var isLoopback: Bool { family == AF_INET && address[4] == 127 }

    /// Opens a connection within five seconds; nonblocking from then on. One that is closed is
    /// reset, so that the thousands of a run leave no port in TIME_WAIT. The source is 127.0.0.2
    /// plus `source`: one address has too few ports for what one process can have open.
    func connect(source: UInt32? = nil) throws(Failure) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw Failure(system: "socket") }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        set(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience)
        var reset = linger(l_onoff: 1, l_linger: 0)
        set(descriptor, SOL_SOCKET, SO_LINGER, &reset)
        var yes: Int32 = 1
        set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes)
        if let source, isLoopback {
            set(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, &yes)
            bind(descriptor, toSource: source)
        }
        let isConnected = unsafe address.withUnsafeBytes {
            unsafe Glibc.connect(
                descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress,
                socklen_t($0.count)) == 0
        }
        guard isConnected else {
            let failure = Failure(system: "connecting to \(text)")
            close(descriptor)
            throw failure
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return descriptor
    }

    private func bind(_ descriptor: Int32, toSource source: UInt32) {
        var local = sockaddr_in()
        local.sin_family = sa_family_t(AF_INET)
        local.sin_addr.s_addr = (0x7f00_0002 + source).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = unsafe withUnsafeBytes(of: &local) {
            unsafe Glibc.bind(
                descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, length)
        }
    }

    private func set<Value: BitwiseCopyable>(
        _ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: inout Value
    ) {
        unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Value>.size))
    }
}

/// A port of 127.0.0.1 that nothing listens on.
func freePort() throws(Failure) -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(system: "socket") }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = unsafe withUnsafeMutableBytes(of: &address) {
        let name = unsafe $0.assumingMemoryBound(to: sockaddr.self).baseAddress
        return unsafe Glibc.bind(descriptor, name, length) == 0
            && getsockname(descriptor, name!, &length) == 0
    }
    guard isBound else { throw Failure(system: "bind") }
    return UInt16(bigEndian: address.sin_port)
}
