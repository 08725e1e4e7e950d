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

/// The bounds of a request. Lengths are in bytes and include line ends.
struct HTTPLimits: Sendable, Hashable {
    /// A short path, and room for a query.
    var maximumRequestLineLength = 2048
    /// Request line and header fields together; more than `maximumRequestLineLength`. As many as
    /// other servers take, since proxies and browsers add theirs.
    var maximumHeadLength = 8192
    /// Several times what a browser sends.
    var maximumFields = 100
    /// A body is skipped. If none were allowed, a client that sends one would be answered and
    /// reset.
    var maximumBodyLength = 8192

    /// The longest request.
    var maximumRequestLength: Int { maximumHeadLength + maximumBodyLength }
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
    mutating func next(_ bytes: RawSpan) -> Outcome {
        do throws(HTTPStatus) {
            while !head.isComplete {
                guard let line = try takeLine(bytes) else { return .needsMore }
                try head.take(line)
            }
        } catch {
            return .refused(error)
        }
        let length = line + head.bodyLength
        guard bytes.byteCount >= length else { return .needsMore }
        let request = head.request
        self = HTTPRequestParser(limits: limits)
        return .request(request, length: length)
    }

    /// The next line without its end; nil while it has none.
    private mutating func takeLine(_ bytes: RawSpan) throws(HTTPStatus) -> [UInt8]? {
        let limit =
            head.isStarted ? limits.maximumHeadLength : line + limits.maximumRequestLineLength
        let searched = bytes.extracting(first: limit)
        let unscanned = searched.extracting(droppingFirst: scanned)
        guard let length = unscanned.firstIndex(of: UInt8(ascii: "\n")) else {
            scanned = searched.byteCount
            if bytes.byteCount < limit { return nil }
            throw refusal(ofLongLine: bytes.extracting(line..<limit).copy())
        }
        let newline = scanned + length
        var taken = bytes.extracting(line..<newline).copy()
        guard taken.popLast() == UInt8(ascii: "\r") else { throw .badRequest }
        line = newline + 1
        scanned = line
        assert(line <= bytes.byteCount && line <= limits.maximumHeadLength)
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
