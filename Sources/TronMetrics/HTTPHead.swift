// A request's head, line by line: what it says, and where RFC 9112 has it refused.

/// What the lines of a head have said so far.
struct HTTPHead {
    private let limits: HTTPLimits
    private(set) var request = HTTPRequest()
    /// Whether the request line has been taken.
    private(set) var isStarted = false
    /// Whether the empty line has been taken that ends the head.
    private(set) var isComplete = false

    private var hasEmptyLineBefore = false
    private var isVersion10 = false
    private var fields = 0
    private var hosts = 0
    private var contentLength: Int?
    /// The values of all `Transfer-Encoding` fields, in order.
    private var codings: [String]?
    private var connection: [String] = []
    private var hasExpectation = false

    init(limits: HTTPLimits) { self.limits = limits }

    /// Bytes of the body that follows.
    var bodyLength: Int { contentLength ?? 0 }

    /// Takes the next line, without its end.
    mutating func take(_ line: [UInt8]) throws(HTTPStatus) {
        if !isStarted {
            try start(line)
        } else if line.isEmpty {
            try conclude()
        } else {
            try takeField(line)
        }
    }
}

// MARK: - The request line

extension HTTPHead {
    private mutating func start(_ line: [UInt8]) throws(HTTPStatus) {
        // RFC 9112, 2.2: some clients send an empty line after a body.
        if line.isEmpty && !hasEmptyLineBefore {
            hasEmptyLineBefore = true
            return
        }
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, HTTPCharacters.isToken(words[0]) else { throw .badRequest }
        try takeVersion([UInt8](words[2]))
        switch text(words[0]) {
        case "GET": request.method = .get
        case "HEAD": request.method = .head
        default: request.method = .other
        }
        guard HTTPCharacters.isTarget(words[1]), let path = path(ofTarget: text(words[1])) else {
            throw .badRequest
        }
        request.path = path
        isStarted = true
    }

    /// A later 1.x is answered as 1.1.
    private mutating func takeVersion(_ version: [UInt8]) throws(HTTPStatus) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard version.count == 8, version.starts(with: "HTTP/".utf8), digits.contains(version[5]),
            version[6] == UInt8(ascii: "."), digits.contains(version[7])
        else { throw .badRequest }
        guard version[5] == UInt8(ascii: "1") else { throw .versionNotSupported }
        isVersion10 = version[7] == UInt8(ascii: "0")
    }

    /// The path of `/path?query` or `http://host/path?query`.
    private func path(ofTarget target: String) -> String? {
        if request.method == .other { return target }
        let beforeQuery = target.prefix { $0 != "?" }
        if beforeQuery.hasPrefix("/") { return String(beforeQuery) }
        let parts = beforeQuery.split(
            separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, ["http:", "https:"].contains(parts[0].lowercased()),
            parts[1].isEmpty, !parts[2].isEmpty
        else { return nil }
        return "/" + (parts.count == 4 ? parts[3] : "")
    }
}

// MARK: - The fields

extension HTTPHead {
    private mutating func takeField(_ line: [UInt8]) throws(HTTPStatus) {
        fields += 1
        if fields > limits.maximumFields { throw .headerFieldsTooLarge }
        // A name is a token and stands before the colon at once: so neither a line that continues
        // the one before (RFC 9112, 5.2) nor a space before the colon (5.1) passes.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
            HTTPCharacters.isToken(line[..<colon]),
            HTTPCharacters.isFieldValue(line[(colon + 1)...])
        else { throw .badRequest }
        let value = HTTPCharacters.trimmed(line[(colon + 1)...])
        switch text(line[..<colon]).lowercased() {
        case "host":
            hosts += 1
            guard HTTPCharacters.isHost(value) else { throw .badRequest }
        case "content-length": try takeContentLength(value)
        case "transfer-encoding": codings = (codings ?? []) + list(value)
        case "connection": connection += list(value)
        case "expect": hasExpectation = true
        default: break
        }
    }

    private mutating func takeContentLength(_ value: ArraySlice<UInt8>) throws(HTTPStatus) {
        guard contentLength == nil, !value.isEmpty else { throw .badRequest }
        var length = 0
        for byte in value {
            guard let digit = UInt8(exactly: Int(byte) - 0x30), digit < 10 else {
                throw .badRequest
            }
            // What is over the limit stays over it, and cannot overflow.
            length = min(length * 10 + Int(digit), limits.maximumBodyLength + 1)
        }
        contentLength = length
    }

    /// The head is whole: what its fields say together.
    private mutating func conclude() throws(HTTPStatus) {
        guard hosts == 1 || (hosts == 0 && isVersion10) else { throw .badRequest }
        if let codings { throw refusal(ofCodings: codings) }
        guard bodyLength <= limits.maximumBodyLength else { throw .contentTooLarge }
        if hasExpectation && !isVersion10 { throw .expectationFailed }
        request.keepsAlive =
            !connection.contains("close")
            && (!isVersion10 || connection.contains("keep-alive"))
        isComplete = true
    }

    /// No transfer coding is accepted. Where it leaves the body's end in doubt, the request is
    /// malformed (RFC 9112, 6.1 and 6.3); a chunked body should have come with a length.
    private func refusal(ofCodings codings: [String]) -> HTTPStatus {
        let isFramed = codings.last == "chunked" && !codings.dropLast().contains("chunked")
        guard isFramed, !isVersion10, contentLength == nil else { return .badRequest }
        return codings.count == 1 ? .lengthRequired : .notImplemented
    }

    private func list(_ value: ArraySlice<UInt8>) -> [String] {
        value.split(separator: UInt8(ascii: ",")).map {
            text(HTTPCharacters.lowercased(HTTPCharacters.trimmed($0)))
        }
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}

/// Which characters may stand where.
enum HTTPCharacters {
    private static let alphanumeric =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    private static let host = alphanumeric + "-._~!$&'()*+,;=%:[]"
    private static let token = Set((alphanumeric + "!#$%&'*+-.^_`|~").utf8)
    private static let hostBytes = Set(host.utf8)
    private static let targetBytes = Set((host + "/?@").utf8)
    private static let space = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")

    static func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(token.contains)
    }

    static func isTarget(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(targetBytes.contains)
    }

    /// An empty one is allowed (RFC 9110, 7.2).
    static func isHost(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy(hostBytes.contains)
    }

    static func isFieldValue(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { $0 >= space && $0 != 0x7f || $0 == tab }
    }

    /// Only ASCII's letters: there are others whose small letters are ASCII's.
    static func lowercased(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
        return bytes.map { capitals.contains($0) ? $0 | 0x20 : $0 }[...]
    }

    /// Without spaces and tabs at both ends.
    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank: (UInt8) -> Bool = { $0 == space || $0 == tab }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return [] }
        return bytes[first...last]
    }
}
