// HTTP/1.1 requests out of bytes (RFC 9112): where one ends, what it asks, why it is refused.

/// What a request asks, as far as a server of a few documents has to know.
struct HTTPRequest: Hashable {
    enum Method: Hashable {
        case get
        case head
        case other
    }

    var method = Method.other
    /// The target's path without its query. Other methods may have targets without a path.
    var path = ""
    /// Whether the connection is to serve a further request.
    var keepsAlive = true
}

/// What a request may have at most.
struct HTTPLimits: Sendable, Hashable {
    /// Bytes of the request line: a short path, and room for a query.
    var requestLine = 2048
    /// Bytes of request line and header fields, with their line ends; more than `requestLine`. As
    /// many as other servers take, since proxies and browsers add theirs.
    var head = 8192
    /// Header fields: several times what a browser sends.
    var fields = 100
    /// Bytes of a body. It is skipped; without it, a client that sends one would be answered and
    /// reset.
    var body = 8192

    /// No request is longer.
    var request: Int { head + body }
}

/// Takes requests off the front of a stream, however it is cut.
///
/// It is strict where leniency would let two readers of one stream see different requests: lines
/// end with CR LF and with nothing else, and a request has at most one `Content-Length`.
///
/// Invariant: `line` is where the first line begins that was not taken, and no line ends between
/// it and `scanned`. Positions hold from call to call, because what is not whole is not consumed.
struct HTTPRequestParser {
    enum Outcome: Hashable {
        /// Nothing is to be consumed: the next call wants the same bytes with more behind them.
        case needsMore
        /// A request, which takes so many bytes, its body included.
        case request(HTTPRequest, length: Int)
        /// No request; it ends the stream.
        case refused(HTTPStatus)
    }

    private let limits: HTTPLimits
    private var head: HTTPHead
    private var line = 0
    private var scanned = 0

    init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits
        head = HTTPHead(limits: limits)
    }

    /// What the stream begins with.
    mutating func next(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        do throws(HTTPStatus) {
            while !head.isComplete {
                guard let line = try unsafe takeLine(bytes) else { return .needsMore }
                try head.take(line)
            }
        } catch {
            return .refused(error)
        }
        let length = line + head.bodyLength
        guard bytes.count >= length else { return .needsMore }
        let request = head.request
        self = HTTPRequestParser(limits: limits)
        return .request(request, length: length)
    }

    /// The next line without its end; nil while it has none.
    private mutating func takeLine(
        _ bytes: UnsafeRawBufferPointer
    ) throws(HTTPStatus) -> [UInt8]? {
        let limit = head.isStarted ? limits.head : line + limits.requestLine
        let searched = min(bytes.count, limit)
        let newline = unsafe bytes[scanned..<searched].firstIndex(of: UInt8(ascii: "\n"))
        guard let newline else {
            scanned = searched
            if bytes.count < limit { return nil }
            throw unsafe refusal(ofLongLine: [UInt8](bytes[line..<limit]))
        }
        guard unsafe newline > line && bytes[newline - 1] == UInt8(ascii: "\r") else {
            throw .badRequest
        }
        let taken = unsafe [UInt8](bytes[line..<newline - 1])
        line = newline + 1
        scanned = line
        assert(line <= bytes.count && line <= limits.head)
        return taken
    }

    private func refusal(ofLongLine line: [UInt8]) -> HTTPStatus {
        if head.isStarted { return .headerFieldsTooLarge }
        let method = line.prefix { $0 != UInt8(ascii: " ") }
        guard HTTPCharacters.isToken(method) else { return .badRequest }
        // RFC 9112, 3: a method longer than any that is implemented is answered with 501.
        return method.count < line.count ? .uriTooLong : .notImplemented
    }
}
