// Echoes packets in the steady state and does nothing else, for others to count what that takes.
//
//     steady-state [--connections N] [--window N] [--size BYTES] [--packets N]
//     steady-state --requests N [--window N] [--size BYTES]
//     steady-state --awaited N [--window N] [--size BYTES]
//     steady-state --room N [--connections N] [--size BYTES]
//     steady-state --loop N [--connections N] [--size BYTES]
//
// Packets, or requests of one client: with a completion, or awaited by as many tasks on the
// reactor's executor as may be in flight; or packets to all members of a room, by a group or by a
// loop of sends. Both sides run in this process: see .ci/counts.
import Tron

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

func parse(_ arguments: [String]) -> LoadOptions? {
    var options = LoadOptions()
    for index in stride(from: 0, to: arguments.count, by: 2) {
        guard index + 1 < arguments.count, let value = Int(arguments[index + 1]), value >= 0 else {
            return nil
        }
        switch arguments[index] {
        case "--connections" where value > 0: options.connections = value
        case "--window" where value > 0: options.window = value
        case "--size": options.size = value
        case "--packets" where value > 0: options.packets = value
        case "--requests" where value > 0: (options.kind, options.packets) = (.requests, value)
        case "--awaited" where value > 0: (options.kind, options.packets) = (.awaited, value)
        case "--room" where value > 0: (options.kind, options.packets) = (.room, value)
        case "--loop" where value > 0: (options.kind, options.packets) = (.loop, value)
        default: return nil
        }
    }
    return options
}

guard let options = parse(Array(CommandLine.arguments.dropFirst())) else {
    print(
        "usage: steady-state [--connections N] [--window N] [--size BYTES] "
            + "[--packets N | --requests N | --awaited N | --room N | --loop N]")
    exit(64)
}
let failure: String?
switch options.kind {
case .packets:
    let load = Load(options, reactor: try Reactor())
    print(try load.run(), "packets")
    failure = load.failure
case .room, .loop:
    let load = RoomLoad(options, reactor: try Reactor())
    print(try load.run(), "packets")
    failure = load.failure
case .requests, .awaited:
    let load = try RequestLoad(options, reactor: try Reactor())
    print(try load.run(), "requests,", load.contextSwitches, "context switches")
    failure = load.failure
}
if let failure {
    print("failed:", failure)
    exit(1)
}
