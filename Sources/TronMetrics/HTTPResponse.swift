// HTTP/1.1 answers as bytes, and their statuses.

/// An answer's status. Thrown, it says why a request is refused; then nothing that follows on the
/// connection can be understood, and it is to be closed.
enum HTTPStatus: Int, Error {
    case ok = 200
    case badRequest = 400
    case notFound = 404
    case methodNotAllowed = 405
    case lengthRequired = 411
    case contentTooLarge = 413
    case uriTooLong = 414
    case expectationFailed = 417
    case headerFieldsTooLarge = 431
    case internalServerError = 500
    case notImplemented = 501
    case serviceUnavailable = 503
    case versionNotSupported = 505

    var phrase: String {
        switch self {
        case .ok: "OK"
        case .badRequest: "Bad Request"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .lengthRequired: "Length Required"
        case .contentTooLarge: "Content Too Large"
        case .uriTooLong: "URI Too Long"
        case .expectationFailed: "Expectation Failed"
        case .headerFieldsTooLarge: "Request Header Fields Too Large"
        case .internalServerError: "Internal Server Error"
        case .notImplemented: "Not Implemented"
        case .serviceUnavailable: "Service Unavailable"
        case .versionNotSupported: "HTTP Version Not Supported"
        }
    }
}

/// An answer with a body of text.
struct HTTPResponse {
    /// Bytes of a header, and of a body that only says a status: a few lines, none of which a peer
    /// or a program makes longer.
    static let overhead = 1 << 10

    var status: HTTPStatus
    var contentType = "text/plain; charset=utf-8"
    /// The methods that the target has, where the one that was asked for is not among them.
    var allow: String?
    var body: [UInt8]

    init(_ status: HTTPStatus, contentType: String? = nil, body: [UInt8]) {
        self.status = status
        self.body = body
        if let contentType { self.contentType = contentType }
    }

    /// An answer that is nothing but its status, said also in its body.
    init(_ status: HTTPStatus) {
        self.init(status, body: [UInt8]("\(status.rawValue) \(status.phrase)\n".utf8))
    }

    /// The bytes to send. The answer to HEAD is that to GET without its body. There is no `Date`:
    /// the library has no clock that knows it (RFC 9110, 6.6.1).
    func bytes(withBody: Bool, keepsAlive: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status.rawValue) \(status.phrase)\r\n"
        head += "Content-Type: \(contentType)\r\n"
        head += "Content-Length: \(body.count)\r\n"
        if let allow { head += "Allow: \(allow)\r\n" }
        head += "Connection: \(keepsAlive ? "keep-alive" : "close")\r\n\r\n"
        return [UInt8](head.utf8) + (withBody ? body : [])
    }
}
