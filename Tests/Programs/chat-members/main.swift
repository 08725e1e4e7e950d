// Ten thousand members of one room of example-chat, some of whom do not read: see .ci/chat.
//
//     chat-members PORT MEMBERS DEAF
//
// Messages are said, each once all but a few before it have been heard by all who read, until
// each of the deaf was dropped. Then it says so, and awaits the server's goodbye. It fails unless
// all who read heard each message once, in order, and had the goodbye before their end.
import Glibc
import Tron

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard numbers.count == 3, let port = UInt16(exactly: numbers[0]), numbers[1] > 1, numbers[2] >= 0
else {
    print("usage: chat-members PORT MEMBERS DEAF")
    exit(64)
}
let crowd = try Crowd(port: port, members: numbers[1], deaf: numbers[2])
if let problem = try crowd.run() {
    print("FAILED: \(problem)")
    exit(1)
}
