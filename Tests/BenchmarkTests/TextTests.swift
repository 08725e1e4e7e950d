// Numbers, tables and JSON as text.
import Testing

@testable import throughput_benchmark

@Suite struct TextTests {
    @Test(arguments: [
        (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"), (100_000, "100,000"),
    ])
    func `thousands are grouped`(value: Int, text: String) {
        #expect(grouped(value) == text)
    }

    @Test(arguments: [
        (0.0, 2, "0.00"), (1.005, 1, "1.0"), (0.05, 1, "0.1"), (-0.25, 2, "-0.25"),
        (9.99, 1, "10.0"),
        (1234.5678, 3, "1,234.568"), (7, 0, "7"), (0.031, 3, "0.031"), (-0.001, 1, "0.0"),
    ])
    func `decimals are rounded`(value: Double, digits: Int, text: String) {
        #expect(decimal(value, digits) == text)
    }

    @Test func `zeros at the end may be left out`() {
        #expect(decimal(1, 3, trimmed: true) == "1")
        #expect(decimal(0.25, 3, trimmed: true) == "0.25")
        #expect(decimal(10, 0, trimmed: true) == "10")
    }

    @Test(arguments: [(0.0512, "0.051"), (5.125, "5.13"), (51.25, "51.3"), (5120.4, "5,120")])
    func `small numbers keep three digits`(value: Double, text: String) {
        #expect(threeDigits(value) == text)
    }

    @Test(arguments: [
        ("0-1,64\n", [0, 1, 64]), ("3", [3]), ("", []), ("5-2,x", []), ("0,2-4", [0, 2, 3, 4]),
    ])
    func `lists of processors are read`(text: String, numbers: [Int]) {
        #expect(Processor.numbers(in: text) == numbers)
    }

    @Test func `columns are aligned, the first to the left`() {
        var table = Table(heading: ["name", "µs"])
        table.rows = [["a", "10"], ["longer", "7"]]
        #expect(table.text() == "name    µs\na       10\nlonger   7")
        #expect(table.text(emphasis: ("<", ">")).hasPrefix("<name    µs>\n"))
    }

    @Test(arguments: [
        ("null", JSON.null), (" true ", .bool(true)), ("-1.5e3", .number(-1500)), ("0", .number(0)),
        (#""a\"\\\/\n\u00e9\ud83d\ude00é""#, .string("a\"\\/\né😀é")),
        ("[]", .array([])), ("{ }", .object([])),
        ("[1, [2]]", .array([.number(1), .array([.number(2)])])),
        (
            #"{"a": {"b": null}, "c": 1}"#,
            .object([.init("a", .object([.init("b", .null)])), .init("c", .number(1))])
        ),
    ])
    func `JSON is read, and what is written reads the same`(text: String, value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
        #expect(try JSON(parsing: value.text()) == value)
    }

    @Test(arguments: [
        "", "nul", "tru", "+1", ".5", "1e999", "nan", "[1,]", "[1", "{1:2}", #"{"a"}"#, #"{"a":}"#,
        #""abc"#, "\"a\nb\"", #""\x""#, #""\ud800""#, #""\u12""#, "1 2", "]",
        String(repeating: "[", count: 100_000),
    ])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: Failure.self) { try JSON(parsing: text) }
    }

    @Test func `the packets of a stream are whole, distinct, and of the sizes asked for`() {
        let stream = PacketStream(sizes: 10...20)
        var distinct: Set<[UInt8]> = []
        for index in 0..<stream.packetCount {
            let packet = Array(stream.bytes[stream.start(ofPacket: index)..<stream.ends[index]])
            #expect((21...31).contains(packet.count))
            let length = packet[5..<9].reduce(0) { $0 << 8 | Int($1) }
            #expect(length == packet.count - PacketStream.overhead)
            #expect(packet.suffix(2) == [0x0d, 0x0a])
            distinct.insert(packet)
        }
        #expect(distinct.count == stream.packetCount)
        #expect(PacketStream(sizes: 10...20).bytes == stream.bytes)
        #expect(PacketStream(sizes: 0...0).packetCount > 4)
        #expect(PacketStream(sizes: 1_000_000...1_000_000).packetCount == 4)
    }
}
