// How a fuzzer says that the library and its oracle disagree.

/// Stops the program, and with it the run, when the library and its oracle disagree.
func require(
    _ condition: Bool, _ claim: @autoclosure () -> String, line: UInt = #line,
    file: StaticString = #fileID
) {
    if !condition { fatalError(claim(), file: file, line: line) }
}
