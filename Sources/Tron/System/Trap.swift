// How misuse ends the process: with its message, in release builds too.

/// Ends the process with `message` unless `condition` holds.
///
/// For what only a mistake in the program can bring about, never for what a peer sends. Unlike
/// `precondition`, whose message an optimised build leaves out, this prints it in every build.
@inline(__always)
func demand(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition() { trap(message(), file: file, line: line) }
}

/// Ends the process with `message`.
@inline(never)
func trap(
    _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
    fatalError(message(), file: file, line: line)
}
