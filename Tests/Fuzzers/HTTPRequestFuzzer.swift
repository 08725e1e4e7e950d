// Fuzzes the parser of HTTP requests: the same from a whole stream as from pieces, and sound.

/// An input is a stream, then the lengths of its pieces, a byte each, and then their number.
enum HTTPRequestFuzzer {
    static func run(_ input: UnsafeRawBufferPointer) {
        guard let number = input.last else { return }
        let end = input.count - 1
        let start = max(0, end - Int(number))
        let stream = Array(input[..<start])
        let whole = StreamReading(stream, pieces: [])
        let cut = StreamReading(stream, pieces: input[start..<end].map { Int($0) + 1 })
        require(whole == cut, "\(whole), but \(cut) in pieces")
        var position = 0
        for case .request(let request, let length) in whole.outcomes {
            require(length <= stream.count - position, "a request longer than the stream")
            checkAccepted(request, Array(stream[position..<position + length]))
            position += length
        }
    }

    /// What two readers of one stream must agree on (RFC 9112, 11.2): where the request ends, and
    /// that nothing in it says otherwise.
    private static func checkAccepted(_ request: HTTPRequest, _ bytes: [UInt8]) {
        let limits = HTTPLimits()
        require(bytes.count <= limits.maximumRequestLength, "\(bytes.count) bytes")
        var lines = headLines(bytes)
        if lines[0].isEmpty { lines.removeFirst() }
        let headLength = bytes.count - bodyLength(lines)
        require(
            headLength >= 0 && headLength <= limits.maximumHeadLength, "a body that is not there")
        require(bytes[..<headLength].suffix(4).elementsEqual("\r\n\r\n".utf8), "the head's end")
        let words = lines[0].split(separator: " ", omittingEmptySubsequences: false)
        require(
            words.count == 3 && lines[0].utf8.count < limits.maximumRequestLineLength,
            "the request line")
        require((words[0] == "GET") == (request.method == .get), "GET")
        require((words[0] == "HEAD") == (request.method == .head), "HEAD")
        if request.method != .other {
            require(request.path.hasPrefix("/") && words[1].contains(request.path), "the path")
        }
        require(lines.count - 1 <= limits.maximumFields, "too many fields")
        require(values(of: "transfer-encoding", lines).isEmpty, "a transfer coding")
        let isVersion10 = words[2] == "HTTP/1.0"
        let hosts = values(of: "host", lines).count
        require(hosts == 1 || hosts == 0 && isVersion10, "\(hosts) hosts")
        checkPersistence(request, values(of: "connection", lines), isVersion10)
    }

    private static func checkPersistence(
        _ request: HTTPRequest, _ values: [String], _ isVersion10: Bool
    ) {
        let options = values.flatMap { $0.split(separator: ",") }.map { trimmed(String($0)) }
        let keeps = isVersion10 ? options.contains("keep-alive") : true
        require(request.keepsAlive == (keeps && !options.contains("close")), "keep alive")
    }

    /// Up to the empty line, without it.
    private static func headLines(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        var line: [UInt8] = []
        for byte in bytes {
            line.append(byte)
            guard line.suffix(2) == [13, 10] else { continue }
            line.removeLast(2)
            require(!line.contains(13) && !line.contains(10), "a line end within a line")
            if line.isEmpty && !lines.allSatisfy(\.isEmpty) { break }
            // A character for each byte: others could join with what stands before them.
            lines.append(String(String.UnicodeScalarView(line.map { Unicode.Scalar($0) })))
            line = []
        }
        return lines
    }

    private static func bodyLength(_ lines: [String]) -> Int {
        let lengths = values(of: "content-length", lines)
        require(lengths.count <= 1, "\(lengths.count) lengths")
        guard let length = lengths.first else { return 0 }
        require(length.utf8.allSatisfy { (48...57).contains($0) }, "length \(length)")
        return Int(length) ?? .max
    }

    private static func values(of name: String, _ lines: [String]) -> [String] {
        lines.dropFirst().compactMap { line in
            let parts = line.split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            require(parts.count == 2 && !parts[0].isEmpty, "a field without a name")
            require(!parts[0].contains(" ") && !parts[0].contains("\t"), "a space in a name")
            return parts[0].lowercased() == name ? trimmed(String(parts[1])) : nil
        }
    }

    private static func trimmed(_ text: String) -> String {
        let isBlank: (UInt8) -> Bool = { $0 == 32 || $0 == 9 }
        let bytes = Array(text.utf8.drop(while: isBlank).reversed().drop(while: isBlank))
        return String(decoding: bytes.reversed(), as: UTF8.self).lowercased()
    }
}

/// All that the parser makes of a stream which arrives in pieces of these lengths, and then whole.
private struct StreamReading: Equatable {
    private(set) var outcomes: [HTTPRequestParser.Outcome] = []

    init(_ stream: [UInt8], pieces: [Int]) {
        var parser = HTTPRequestParser()
        var (start, end) = (0, 0)
        for piece in pieces + [stream.count] {
            end = min(end + piece, stream.count)
            while true {
                let outcome = Self.next(&parser, stream[start..<end])
                if outcome == .needsMore { break }
                outcomes.append(outcome)
                guard case .request(_, let length) = outcome else { return }
                require(length > 0 && length <= end - start, "length \(length)")
                start += length
            }
        }
    }

    /// From a copy of exactly their size, for the address sanitizer.
    private static func next(
        _ parser: inout HTTPRequestParser, _ bytes: ArraySlice<UInt8>
    ) -> HTTPRequestParser.Outcome {
        let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { exact.deallocate() }
        exact.copyBytes(from: bytes)
        let received = UnsafeRawBufferPointer(exact)
        return parser.next(received.bytes)
    }
}
