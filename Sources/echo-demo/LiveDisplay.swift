// `serve --watch`: looks at the reactor once a second and shows it, in place on a terminal.
import Tron

/// Shows a reactor on standard output.
///
/// A frame begins and ends with the cursor below the last one and visible, and colours off: there
/// is nothing to restore, however the program ends.
final class LiveDisplay {
    private let reactor: Reactor
    private let meter: Meter
    private let isColoured: Bool
    /// The lines of the last frame, and how wide the terminal was.
    private var height = 0
    private var width = 0

    init(_ reactor: Reactor) {
        self.reactor = reactor
        meter = reactor.makeMeter()
        isColoured = Platform.environment("NO_COLOR").isEmpty
    }

    func begin() {
        reactor.schedule(after: .seconds(1), repeating: .seconds(1)) { self.show() }
    }

    private func show() {
        let view = LiveView(interval: meter.read())
        // The loop must not wait for a terminal that is halted or a pipe that nobody reads.
        guard Platform.isWritable(Platform.standardOutput) else { return }
        let size = Platform.terminalSize(of: Platform.standardOutput)
        let text = size.map { frame(view, $0) } ?? view.line + "\n"
        _ = Platform.write([UInt8](text.utf8), to: Platform.standardOutput)
    }

    /// Over the last frame. Where the terminal has another width than then, its lines may have been
    /// broken anew, and nobody knows where they are.
    private func frame(_ view: LiveView, _ size: (columns: Int, rows: Int)) -> String {
        let lines = view.lines(width: size.columns, isColoured: isColoured).prefix(size.rows - 1)
        let isMoved = width != 0 && width != size.columns
        let start = isMoved ? "\u{1b}[2J\u{1b}[H" : height > 0 ? "\u{1b}[\(height)A" : ""
        height = lines.count
        width = size.columns
        let clearToEndOfLine = "\u{1b}[K"
        let clearBelow = "\u{1b}[J"
        return start + "\r" + lines.map { $0 + clearToEndOfLine + "\n" }.joined() + clearBelow
    }
}
