// Where the fuzzing program starts: hands each input to the fuzzer that the environment names.
import Glibc

/// All fuzzers, by the names that `.ci/fuzz` takes and that their corpora have. Not `cuts`, which
/// is all that there is to try: see Plain/main.swift.
enum Fuzzer: String {
    case addresses
    case commandLine = "command-line"
    case decoder
    case frames
    case http
    case proxy
    case proxyMany = "proxy-many"
    case requests
    case ring
    case slab
    case wheel

    /// TRON_FUZZER's; one program for all of them, because it is built once.
    static let chosen: Fuzzer = {
        let name = getenv("TRON_FUZZER").map { String(cString: $0) } ?? ""
        guard let fuzzer = Fuzzer(rawValue: name) else {
            fatalError("TRON_FUZZER names no fuzzer: \(name)")
        }
        return fuzzer
    }()

    func run(_ input: UnsafeRawBufferPointer) {
        switch self {
        case .addresses: SocketAddressFuzzer.run(input)
        case .commandLine: CommandLineFuzzer.run(input)
        case .decoder: PacketDecoderFuzzer.run(input)
        case .frames: FramesFuzzer.run(input)
        case .http: HTTPRequestFuzzer.run(input)
        case .proxy: ProxyHeaderFuzzer.run(input)
        case .proxyMany: ProxyHeaderMutations.run(input)
        case .requests: PendingRequestsFuzzer.run(input)
        case .ring: RingBufferFuzzer.run(input)
        case .slab: SlabFuzzer.run(input)
        case .wheel: TimerWheelFuzzer.run(input)
        }
    }
}

/// What libFuzzer calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    Fuzzer.chosen.run(UnsafeRawBufferPointer(start: start, count: count))
    return 0
}

/// An input as a supply of choices, from its first byte to its last.
struct Choices {
    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ input: UnsafeRawBufferPointer) { rest = input[...] }

    var isEmpty: Bool { rest.isEmpty }

    /// The next byte, or 0 when all are spent.
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func number(below limit: Int) -> Int {
        limit <= 256 ? Int(byte()) % limit : (Int(byte()) << 8 | Int(byte())) % limit
    }

    /// A number with as many bits as its first byte says, so that all magnitudes are likely.
    mutating func numberOfAnyMagnitude() -> UInt64 {
        let bits = UInt64(byte() % 65)
        let bytes = (bits + 7) / 8
        let number = (0..<bytes).reduce(0) { sum, _ in sum << 8 | UInt64(byte()) }
        return bits == 64 ? number : number & (1 << bits - 1)
    }
}
