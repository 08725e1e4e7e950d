// The path of a Unix socket: always short enough for the kernel, compared byte by byte.
internal import CEpollShim

/// The path of a Unix socket, or `@` and its name in Linux's abstract namespace.
public struct UnixPath: Sendable, CustomStringConvertible {
    // Invariant: no NUL, at most `UnixPath.limit` bytes of UTF-8.
    private let text: String

    /// The longest path in bytes: the kernel's field less the NUL that ends it.
    static var limit: Int { tron_unix_path_capacity() - 1 }

    /// Accepts a path, or `@` and a name for the abstract namespace.
    ///
    /// A path that itself starts with `@` is written `./@…`.
    /// - Throws: `AddressError` for an empty path, a NUL byte, or more bytes than the kernel takes.
    public init(_ path: String) throws(AddressError) {
        if let reason = Self.fault(in: path) { throw AddressError(text: path, reason: reason) }
        text = path
    }

    static func fault(in path: String) -> AddressError.Reason? {
        if path.isEmpty || path == "@" { return .emptyPath }
        if path.utf8.contains(0) { return .nulByte }
        return path.utf8.count > limit ? .pathTooLong : nil
    }

    /// Whether this is a name in the abstract namespace, which no file stands for.
    public var isAbstract: Bool { text.utf8.first == UInt8(ascii: "@") }

    /// Whether this is the empty path of a socket that was never bound.
    public var isUnnamed: Bool { text.isEmpty }

    /// The file of this socket, or nil when there is none.
    public var file: String? { isAbstract || isUnnamed ? nil : text }

    /// The path, or `@` and the abstract name.
    public var description: String { text }
}

// String compares by canonical equivalence, but the kernel takes "é" and "e\u{301}" for two files.
extension UnixPath: Hashable {
    /// Whether both are the same bytes.
    public static func == (left: UnixPath, right: UnixPath) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(0xff as UInt8)
    }
}

// MARK: - The kernel's form

extension UnixPath {
    /// Reads what the kernel wrote. A path that no text can stand for reads as unnamed: it can only
    /// be a peer's own, and nobody connects to that.
    init(raw: UnsafeRawPointer, length: Int) {
        let count = length - tron_unix_path_offset()
        guard count > 0 else {
            text = ""
            return
        }
        let start = unsafe raw + tron_unix_path_offset()
        text = unsafe Self.text(
            of: UnsafeRawBufferPointer(
                start: start, count: min(count, tron_unix_path_capacity())))
    }

    /// Reads a path that is followed by NULs up to the size of the kernel's field, as in a PROXY
    /// header. There may be none.
    init(padded field: RawSpan) {
        text = unsafe field.withUnsafeBytes { bytes in
            let count = unsafe bytes.count - bytes.reversed().prefix { $0 == 0 }.count
            return unsafe Self.text(of: UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
        }
    }

    private static func text(of bytes: UnsafeRawBufferPointer) -> String {
        guard let first = unsafe bytes.first else { return "" }
        let path = unsafe first == 0 ? abstractName(bytes) : filePath(bytes)
        return path.flatMap { fault(in: $0) == nil ? $0 : nil } ?? ""
    }

    private static func abstractName(_ bytes: UnsafeRawBufferPointer) -> String? {
        unsafe String(validating: bytes.dropFirst(), as: UTF8.self).map { "@" + $0 }
    }

    private static func filePath(_ bytes: UnsafeRawBufferPointer) -> String? {
        let name = unsafe bytes.prefix { $0 != 0 }
        guard let path = unsafe String(validating: name, as: UTF8.self) else { return nil }
        return path.utf8.first == UInt8(ascii: "@") ? "./" + path : path
    }

    /// Writes the kernel's form and returns its length.
    func write(to storage: UnsafeMutableRawPointer) -> UInt32 {
        var path = text
        let length = path.withUTF8 { bytes in
            unsafe tron_put_unix(storage, bytes.baseAddress, bytes.count)
        }
        guard isAbstract || isUnnamed else { return length }
        // An abstract name starts with NUL and has none at its end: it is all the bytes counted.
        unsafe storage.storeBytes(of: 0, toByteOffset: tron_unix_path_offset(), as: UInt8.self)
        return length - 1
    }
}
