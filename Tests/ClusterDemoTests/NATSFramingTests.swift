// What the broker sends, cut out of its stream: at every cut, at the bounds, and when it is none.
import Testing
import Tron

@testable import cluster_demo

/// What a framing makes of a stream.
struct BrokerStream: Equatable {
    var frames: [String] = []
    var fault: ProtocolFault?
    var calls = 0

    init(_ stream: [UInt8], cuts: some Sequence<Int> = []) {
        var framing = NATSFraming()
        var (start, needed) = (0, 1)
        for end in Array(cuts) + [stream.count] {
            while end - start >= needed {
                let bytes = stream.span.bytes.extracting(start..<end)
                calls += 1
                switch framing.nextFrame(in: bytes) {
                case .frame(let frame, let length):
                    frames.append(Self.text(of: frame, in: bytes))
                    #expect(length > 0 && length <= bytes.byteCount)
                    start += length
                    needed = 1
                case .needs(let count):
                    #expect(count > end - start && count <= framing.maximumFrameLength)
                    needed = count
                case .fault(let fault):
                    self.fault = fault
                    return
                }
            }
        }
    }

    private static func text(of frame: BrokerFrame, in bytes: RawSpan) -> String {
        switch frame {
        case .info(let place): "info \(bytes.extracting(place).text)"
        case .message(let subscription, let place):
            "message \(subscription) \(bytes.extracting(place).text)"
        case .ping: "ping"
        case .pong: "pong"
        case .ok: "ok"
        case .error(let place): "error \(bytes.extracting(place).text)"
        }
    }
}

@Suite struct NATSFramingTests {
    private static let mixed = Array(
        ("INFO {\"a\":1} \r\nPING\r\nMSG t.a 7 3\r\n\r\nx\r\nMSG t.b 12 reply.x 0\r\n\r\n+OK\r\n"
            + "-ERR 'Slow Consumer'\r\nPONG\r\n").utf8)
    private static let expected = [
        "info {\"a\":1} ", "ping", "message 7 \r\nx", "message 12 ", "ok", "error Slow Consumer",
        "pong",
    ]

    @Test func `frames are the same at every one and every two cuts of their stream`() {
        for first in 0...Self.mixed.count {
            for second in first...Self.mixed.count {
                let found = BrokerStream(Self.mixed, cuts: [first, second])
                #expect(found.frames == Self.expected && found.fault == nil, "\(first), \(second)")
            }
        }
        #expect(BrokerStream(Self.mixed, cuts: 0..<Self.mixed.count).frames == Self.expected)
    }

    @Test(arguments: [
        ("\r\n", 1), ("ping\r\n", 1), ("PING \r\n", 1), ("HMSG a 1 2 3\r\n", 1), ("MSG\r\n", 1),
        ("MSG \r\n", 2), ("MSG a\r\n", 2), ("MSG a 1\r\n", 2), ("MSG a x 1\r\n", 2),
        ("MSG  1 1\r\n", 2), ("MSG a 1 \r\n", 2), ("MSG a 1 r x\r\n", 2), ("MSG a 1 r 1 2\r\n", 2),
        ("MSG a 99999999999999999999 1\r\n", 2), ("MSG a 1 99999999999999999999\r\n", 2),
        ("MSG a 1 -1\r\n", 3), ("MSG a 1 1048577\r\n", 3), ("MSG a 1 1\r\nabc", 4),
        ("MSG a 1 0\r\nx\r\n", 4),
    ])
    func `what is no frame is a fault`(text: String, code: Int) {
        #expect(BrokerStream(Array(text.utf8)).fault == .malformedFrame(code: code))
    }

    @Test(arguments: [
        ("-ERR\r\n", ""), ("-ERR 'x\r\n", "x"), ("-ERR x\r\n", "x"), ("-ERR ''\r\n", ""),
        ("-ERR 'a' 'b'\r\n", "a"), ("-ERRx\r\n", ""),
    ])
    func `a complaint of any form has its words`(text: String, words: String) {
        #expect(BrokerStream(Array(text.utf8)).frames == ["error \(words)"])
    }

    @Test func `the largest payload and the longest line fit, and no more`() {
        let payload = [UInt8](repeating: 120, count: BrokerLimits.payload)
        let message = Array("MSG a 1 \(payload.count)\r\n".utf8) + payload + Array("\r\n".utf8)
        let found = BrokerStream(message, cuts: stride(from: 0, to: message.count, by: 999))
        #expect(found.frames.count == 1 && found.calls < 5)
        let line = "INFO " + String(repeating: "x", count: BrokerLimits.line - 5) + "\r\n"
        #expect(BrokerStream(Array(line.utf8)).frames.count == 1)
        #expect(BrokerStream(Array(("INFO x" + line.dropFirst(5)).utf8)).fault != nil)
    }

    @Test func `whatever bytes come, each cut of them gives the same and nothing traps`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed)
        for _ in 0..<3000 {
            var stream = Self.mixed
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                let place = Int.random(in: 0..<stream.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: stream.remove(at: place)
                case 1: stream.insert(.random(in: 0...255, using: &random), at: place)
                case 2: stream[place] = .random(in: 0...255, using: &random)
                default: stream[place] = Array("0 19-\r\n'".utf8).randomElement(using: &random)!
                }
            }
            let whole = BrokerStream(stream)
            let cuts = (0..<5).map { _ in Int.random(in: 0...stream.count, using: &random) }
            let cut = BrokerStream(stream, cuts: cuts.sorted())
            #expect(cut.frames == whole.frames && cut.fault == whole.fault, "seed \(seed)")
        }
    }
}

/// Random numbers that a seed repeats (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
