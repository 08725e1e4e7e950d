// The terminal: a line that tells how far it is, colours where they are welcome, plain errors.
import Glibc

enum Terminal {
    private static let showsProgress = isatty(STDERR_FILENO) == 1

    /// NO_COLOR is the convention of no-color.org.
    private static let isColoured: Bool = {
        let refusal = unsafe getenv("NO_COLOR").map { unsafe String(cString: $0) } ?? ""
        let kind = unsafe getenv("TERM").map { unsafe String(cString: $0) } ?? ""
        return isatty(STDOUT_FILENO) == 1 && refusal.isEmpty && kind != "dumb"
    }()

    /// What surrounds a heading on standard output.
    static var emphasis: (begin: String, end: String) {
        isColoured ? ("\u{1b}[1m", "\u{1b}[0m") : ("", "")
    }

    /// Shows what happens now, in place of what happened before. Nothing in a pipe.
    static func show(_ progress: String) {
        if showsProgress { write("\r\(progress)\u{1b}[K") }
    }

    static func clear() { show("") }

    /// A line on standard output, which leaves at once.
    static func say(_ text: String) {
        clear()
        print(text)
        fflush(nil)
    }

    /// A line on standard error, in the program's name.
    static func complain(_ text: String) {
        clear()
        write("throughput-benchmark: \(text)\n")
    }

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
