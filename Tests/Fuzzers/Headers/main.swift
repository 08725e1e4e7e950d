// The mutations of PROXY headers without libFuzzer, whose instruments take most of the time: for
// numbers of headers that are not reached otherwise. See `.ci/fuzz --headers`.
//
//     headers SEED RUNS FILE...    so many runs, of the corpus' files in turn
import Glibc

private func contents(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "re") else { fatalError("\(path) cannot be read") }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
}

let words = CommandLine.arguments
guard words.count > 3, let seed = UInt64(words[1]), let runs = Int(words[2]) else { exit(64) }
// Each begins with the seed that libFuzzer's runs of it have.
let headers = words[3...].map { Array(contents($0).dropFirst(8)) }
var sound = 0
for run in 0..<runs {
    sound += ProxyHeaderMutations.run(
        seed: seed &+ UInt64(run), headers[run % headers.count])
}
print("\(runs * ProxyHeaderMutations.headersPerRun) headers, \(sound) of them sound")
