// Clients of servers that are replaced: each asks on and on, and comes back when it is closed.
//
//     restart-clients PORT CLIENTS LEDGER
//
// A line tells when all have been greeted for the first time. SIGTERM makes them ask no more; once
// each has the outcome of all that it asked, and is connected, the sums are printed.
import Glibc
import Tron

let words = CommandLine.arguments.dropFirst()
guard words.count == 3, let port = UInt16(words[1]), let count = Int(words[2]), count > 0 else {
    print("usage: restart-clients PORT CLIENTS LEDGER")
    exit(64)
}
let crowd = try Crowd(Reactor(), count: count, ledger: Ledger(at: words[3]))
try crowd.run(to: .loopback(port: port))
