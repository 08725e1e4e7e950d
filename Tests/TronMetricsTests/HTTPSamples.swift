// HTTP requests for the tests: good ones, and many kinds of bad ones with what each deserves.
import Testing

@testable import TronMetrics
@testable import TronTests

/// A stream of bytes and what it has to be answered with.
struct HTTPSample: CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let status: HTTPStatus

    var testDescription: String { name }

    init(_ name: String, _ text: String, _ status: HTTPStatus) {
        self.name = name
        bytes = [UInt8](text.utf8)
        self.status = status
    }

    init(_ name: String, _ bytes: [UInt8], _ status: HTTPStatus) {
        self.name = name
        self.bytes = bytes
        self.status = status
    }

    /// `GET /metrics` with these lines of fields, in place of `Host: a`.
    private static func fields(_ name: String, _ lines: String, _ status: HTTPStatus) -> HTTPSample
    {
        HTTPSample(name, "GET /metrics HTTP/1.1\r\n\(lines)\r\n\r\n", status)
    }

    private static func first(_ name: String, _ line: String, _ status: HTTPStatus) -> HTTPSample {
        HTTPSample(name, "\(line)\r\nHost: a\r\n\r\n", status)
    }

    /// Streams that are refused.
    static let malformed = requestLines + headerFields + framing + lengths

    private static let requestLines = [
        first("no version", "GET /metrics", .badRequest),
        first("one word", "GET", .badRequest),
        first("two spaces", "GET  /metrics HTTP/1.1", .badRequest),
        first("a space at the end", "GET /metrics HTTP/1.1 ", .badRequest),
        first("a space at the beginning", " GET /metrics HTTP/1.1", .badRequest),
        first("a tab for a space", "GET\t/metrics HTTP/1.1", .badRequest),
        first("a method that is no token", "G(T /metrics HTTP/1.1", .badRequest),
        first("a version in small letters", "GET /metrics http/1.1", .badRequest),
        first("a version of three digits", "GET /metrics HTTP/1.10", .badRequest),
        first("a version without a dot", "GET /metrics HTTP/1-1", .badRequest),
        first("HTTP/2", "GET /metrics HTTP/2.0", .versionNotSupported),
        first("HTTP/0.9 by name", "GET /metrics HTTP/0.9", .versionNotSupported),
        HTTPSample("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionNotSupported),
        first("a relative path", "GET metrics HTTP/1.1", .badRequest),
        first("an asterisk for GET", "GET * HTTP/1.1", .badRequest),
        first("another scheme", "GET ftp://a/metrics HTTP/1.1", .badRequest),
        first("a target without a host", "GET http:///metrics HTTP/1.1", .badRequest),
        first("a fragment", "GET /metrics#x HTTP/1.1", .badRequest),
        first("a target beyond ASCII", "GET /m\u{e9}trics HTTP/1.1", .badRequest),
        first("a zero byte in the target", "GET /metr\0ics HTTP/1.1", .badRequest),
        first("a bare CR in the target", "GET /met\rrics HTTP/1.1", .badRequest),
        HTTPSample("two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", .badRequest),
        HTTPSample("bare LF", "GET /metrics HTTP/1.1\nHost: a\n\n", .badRequest),
        HTTPSample("TLS", [0x16, 3, 1, 0, 200, 1, 0, 0, 0x0a, 3, 3], .badRequest),
        HTTPSample("a packet", wire("ping\n"), .badRequest),
    ]

    private static let headerFields = [
        fields("no Host", "Accept: */*", .badRequest),
        fields("two Hosts", "Host: a\r\nHost: a", .badRequest),
        fields("a Host with a path", "Host: a/b", .badRequest),
        fields("a Host with a user", "Host: me@a", .badRequest),
        fields("a Host with a space", "Host: a b", .badRequest),
        fields("a space before the colon", "Host : a", .badRequest),
        fields("a line without a colon", "Host: a\r\nnonsense", .badRequest),
        fields("a name that is empty", "Host: a\r\n: b", .badRequest),
        fields("a name that is no token", "Host: a\r\nb c: d", .badRequest),
        fields("a space before the first field", " Host: a", .badRequest),
        fields("a folded line", "Host: a\r\nX: b\r\n c", .badRequest),
        fields("a bare CR in a value", "Host: a\r\nX: b\rc", .badRequest),
        fields("a bare LF in a value", "Host: a\r\nX: b\nc: d", .badRequest),
        fields("CR CR LF", "Host: a\r\nX: b\r", .badRequest),
        fields("a zero byte in a value", "Host: a\r\nX: b\0c", .badRequest),
        fields("a delete in a value", "Host: a\r\nX: b\u{7f}c", .badRequest),
        fields("an expectation", "Host: a\r\nExpect: 100-continue", .expectationFailed),
    ]

    private static let framing = [
        fields("a length that is empty", "Host: a\r\nContent-Length:", .badRequest),
        fields("a length below zero", "Host: a\r\nContent-Length: -1", .badRequest),
        fields("a length with a sign", "Host: a\r\nContent-Length: +1", .badRequest),
        fields("a length in hexadecimal", "Host: a\r\nContent-Length: 0x1", .badRequest),
        fields("a list of lengths", "Host: a\r\nContent-Length: 1, 1", .badRequest),
        fields("two lengths", "Host: a\r\nContent-Length: 1\r\nContent-Length: 2", .badRequest),
        fields(
            "a length and a coding",
            "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", .badRequest),
        fields("chunked", "Host: a\r\nTransfer-Encoding: chunked", .lengthRequired),
        fields("chunked in capitals", "Host: a\r\nTransfer-Encoding: CHUNKED", .lengthRequired),
        fields("chunked twice", "Host: a\r\nTransfer-Encoding: chunked, chunked", .badRequest),
        fields("compressed", "Host: a\r\nTransfer-Encoding: gzip, chunked", .notImplemented),
        fields(
            "two codings in two lines",
            "Host: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked", .notImplemented),
        fields("chunked, and not last", "Host: a\r\nTransfer-Encoding: chunked, gzip", .badRequest),
        fields("no coding", "Host: a\r\nTransfer-Encoding:", .badRequest),
        HTTPSample(
            "a coding in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            .badRequest),
    ]

    private static let lengths = [
        fields("a body over the limit", "Host: a\r\nContent-Length: 8193", .contentTooLarge),
        fields(
            "a length of fifty digits",
            "Host: a\r\nContent-Length: " + String(repeating: "9", count: 50), .contentTooLarge),
        first("a long target", "GET /" + long + " HTTP/1.1", .uriTooLong),
        HTTPSample("a target without an end", "GET /" + long + long, .uriTooLong),
        HTTPSample("a method without an end", long + long, .notImplemented),
        HTTPSample("a line of noise", "(" + long + long, .badRequest),
        fields("a long field", "Host: a\r\nX: " + long + long + long + long, .headerFieldsTooLarge),
        HTTPSample(
            "a field without an end", "GET / HTTP/1.1\r\nX: " + long + long + long + long,
            .headerFieldsTooLarge),
        fields(
            "many fields", "Host: a" + String(repeating: "\r\nX: b", count: 100),
            .headerFieldsTooLarge),
    ]

    private static let long = String(repeating: "x", count: 2048)
}
