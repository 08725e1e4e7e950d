// `serve --watch` on a terminal: drawn in place, within its width, and leaving it as it was.
import Glibc
import Testing

@testable import Tron

/// A pseudo-terminal.
private final class PseudoTerminal {
    /// What stands for the person in front of it, and what a program is given.
    let person: Int32
    let program: Int32
    private(set) var written = ""

    // TIOCSPTLCK and TIOCGPTPEER of ioctl_tty(2), in place of functions that are not imported.
    private static let setLock: UInt = 0x4004_5431
    private static let openPeer: UInt = 0x5441

    init(columns: UInt16, rows: UInt16) throws {
        let flags = O_RDWR | O_NOCTTY | O_CLOEXEC
        person = open("/dev/ptmx", flags)
        var isLocked: Int32 = 0
        try #require(ioctl(person, Self.setLock, &isLocked) == 0)
        program = ioctl(person, Self.openPeer, flags)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(program, UInt(TIOCSWINSZ), &size) == 0)
    }

    deinit {
        close(person)
        close(program)
    }

    var modes: [tcflag_t] {
        var modes = termios()
        tcgetattr(program, &modes)
        return [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag]
    }

    /// Reads until the condition holds, or nothing comes for too long.
    func read(until condition: (String) -> Bool) throws {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !condition(written) {
            var polled = pollfd(fd: person, events: Int16(POLLIN), revents: 0)
            try #require(poll(&polled, 1, ProcessUnderTest.patience) > 0, "nothing is drawn")
            let count = Glibc.read(person, &buffer, buffer.count)
            try #require(count > 0)
            written += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}

@Suite struct LiveDisplayTests {
    @Test(arguments: [
        (columns: 60, rows: 24, lines: 8, noColour: ""),
        (columns: 12, rows: 5, lines: 4, noColour: "1"),
    ])
    func `each frame takes the place of the one before`(
        columns: Int, rows: Int, lines: Int, noColour: String
    ) throws {
        let terminal = try PseudoTerminal(columns: UInt16(columns), rows: UInt16(rows))
        let modes = terminal.modes
        let process = try ProcessUnderTest(
            ["serve", "--port", "0", "--watch"], terminal: terminal.program,
            environment: ["TERM": "xterm", "NO_COLOR": noColour])
        let frameEnd = "\u{1b}[J"
        let up = "\u{1b}[\(lines)A"
        try terminal.read { $0.components(of: frameEnd).count > 3 }
        process.signal(SIGTERM)
        #expect(try process.awaitEnd().status == 0)
        #expect(terminal.modes == modes)
        #expect(terminal.written.contains("\u{1b}[1m") == noColour.isEmpty)
        let frames = terminal.written.components(of: frameEnd)
        #expect(!frames[0].contains(up))
        for frame in frames[1..<3] {
            #expect(frame.hasPrefix(up + "\r"))
            let drawn = frame.dropFirst(up.count + 1).replacing("\u{1b}[1m", with: "")
                .replacing("\u{1b}[0m", with: "").components(of: "\u{1b}[K\r\n").dropLast()
            #expect(drawn.count == lines)
            #expect(drawn.allSatisfy { !$0.contains("\u{1b}") && $0.count <= columns })
            #expect(drawn.first?.hasPrefix("sessions  0 ") == true)
        }
    }
}

extension StringProtocol {
    /// The parts between the separators.
    fileprivate func components(of separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map { String($0) }
    }
}
