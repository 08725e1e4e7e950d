// What needs no libFuzzer, whose instruments take most of the time: all cuts of a stream, and
// numbers of PROXY headers that are not reached otherwise. See `.ci/fuzz`.
//
//     cuts FILE                    every one and every two cuts of the file's stream
//     headers SEED RUNS FILE...    so many runs, of the corpus' files in turn
import Glibc

private func contents(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "re") else { fatalError("\(path) cannot be read") }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
}

private func runHeaders(seed: UInt64, runs: Int, _ paths: ArraySlice<String>) {
    // Each begins with the seed that libFuzzer's runs of it have.
    let headers = paths.map { Array(contents($0).dropFirst(8)) }
    var sound = 0
    for run in 0..<runs {
        sound += ProxyHeaderMutations.run(
            seed: seed &+ UInt64(run), headers[run % headers.count])
    }
    print("\(runs * ProxyHeaderMutations.headersPerRun) headers, \(sound) of them sound")
}

let words = CommandLine.arguments
if words.count == 3, words[1] == "cuts" {
    contents(words[2]).withUnsafeBytes { CutsRun.run($0) }
} else if words.count > 4, words[1] == "headers", let seed = UInt64(words[2]),
    let runs = Int(words[3])
{
    runHeaders(seed: seed, runs: runs, words[4...])
} else {
    exit(64)
}
