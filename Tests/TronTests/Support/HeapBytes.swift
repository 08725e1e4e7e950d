// How much memory the process has allocated, for tests that compare one amount with another.
import Glibc

/// Bytes that are allocated and not freed, as the allocator counts them: the C library's, or the
/// sanitizer's where one is at work.
func allocatedBytes() -> Int {
    if let symbol = dlsym(nil, "__sanitizer_get_current_allocated_bytes") {
        return unsafeBitCast(symbol, to: (@convention(c) () -> Int).self)()
    }
    let report = allocatorReport()
    let inUse =
        report.last(of: "<system type=\"current\" ") + report.last(of: "<total type=\"mmap\" ")
    return inUse - report.last(of: "<total type=\"fast\" ")
        - report.last(of: "<total type=\"rest\" ")
}

/// malloc_info(3), which ends with the sums over all arenas.
private func allocatorReport() -> Substring {
    typealias Report = @convention(c) (Int32, UnsafeMutablePointer<FILE>?) -> Int32
    guard let symbol = dlsym(nil, "malloc_info") else { return "" }
    var text: UnsafeMutablePointer<CChar>?
    var length = 0
    let stream = open_memstream(&text, &length)
    _ = unsafeBitCast(symbol, to: Report.self)(0, stream)
    fclose(stream)
    defer { free(text) }
    return text.map { Substring(String(cString: $0)) } ?? ""
}

extension Substring {
    /// The size in the last element that begins so.
    fileprivate func last(of element: String) -> Int {
        let start = ranges(of: element).last?.upperBound ?? endIndex
        let value = self[start...].split(separator: "\"", omittingEmptySubsequences: false)
        let names = value.enumerated().first { $0.element.hasSuffix("size=") }
        return names.flatMap { Int(value[$0.offset + 1]) } ?? 0
    }
}
