// Standard input in lines, read by a thread of its own: a read there may block, the loop may not.
import Tron

/// What the reading thread has for the loop.
enum Input: Sendable {
    case lines([[UInt8]])
    case end
    case failed
}

/// Reads standard input in chunks, and hands their lines to the loop.
///
/// It holds at most one chunk and the beginning of one line, and reads the next chunk only when the
/// loop has signalled that it wants one: so an endless input never fills the memory.
struct LineReader: Sendable {
    let loop: RemoteReactor
    let demand: Semaphore
    let maximumLength: Int
    /// Called on the loop.
    let deliver: @Sendable (Input) -> Void

    private static let chunkLength = 16 << 10

    /// False when there is no thread to be had.
    func start() -> Bool { Platform.startThread { readAll() } }

    private func readAll() {
        var splitter = LineSplitter(maximumLength: maximumLength)
        while true {
            demand.wait()
            guard let chunk = Platform.read(Self.chunkLength, from: Platform.standardInput) else {
                return hand(.failed)
            }
            if chunk.isEmpty {
                hand(.lines(splitter.finish()))
                return hand(.end)
            }
            hand(.lines(splitter.split(chunk)))
        }
    }

    /// Work is refused only when the loop has stopped; then nothing is wanted any more, and the
    /// process ends.
    private func hand(_ input: Input) {
        _ = loop.submit { _ in deliver(input) }
    }
}

/// Cuts a stream of bytes into lines, which come without their newline. The last needs none.
struct LineSplitter {
    private let maximumLength: Int
    private var beginning: [UInt8] = []

    init(maximumLength: Int) { self.maximumLength = maximumLength }

    /// The lines that end in `chunk`; what is left begins the next one. A beginning that is already
    /// too long comes as if it were a line, so that it is refused rather than kept.
    mutating func split(_ chunk: [UInt8]) -> [[UInt8]] {
        let newline = UInt8(ascii: "\n")
        let parts = chunk.split(separator: newline, omittingEmptySubsequences: false)
        var lines: [[UInt8]] = []
        for part in parts.dropLast() {
            lines.append(beginning + part)
            beginning = []
        }
        beginning += parts.last ?? []
        return beginning.count > maximumLength ? lines + finish() : lines
    }

    /// The line that the stream ends in, if it does not end in a newline.
    mutating func finish() -> [[UInt8]] {
        defer { beginning = [] }
        return beginning.isEmpty ? [] : [beginning]
    }
}
