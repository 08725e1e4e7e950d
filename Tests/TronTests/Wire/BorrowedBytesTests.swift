// Borrowed bytes without unsafe code: comparing and searching them.
import Testing

@testable import Tron

@Suite struct BorrowedBytesTests {
    @Test func `bytes equal the same bytes, as an array, a text or a span`() {
        let bytes = Array("GET".utf8)
        var reader = ByteReader(bytes)
        let span = reader.readBytes(upTo: "")!
        #expect(span.equals("") && span.equals([]) && !span.equals("G"))
        let all = reader.remaining
        #expect(all.equals("GET") && all.equals([0x47, 0x45, 0x54]) && all.equals(all))
        #expect(!all.equals("GETS") && !all.equals("GE") && !all.equals("get") && !all.equals(""))
        #expect(!all.equals([0x47, 0x45, 0x55]) && !all.equals(span))
    }

    @Test func `bytes begin with as many of their first ones as they have, and with no others`() {
        let bytes = Array("GET".utf8)
        let all = ByteReader(bytes).remaining
        for prefix in ["", "G", "GE", "GET"] {
            #expect(all.starts(with: prefix) && all.starts(with: Array(prefix.utf8)), "\(prefix)")
        }
        for other in ["E", "GT", "GETS", "g", "GEX"] {
            #expect(!all.starts(with: other) && !all.starts(with: Array(other.utf8)), "\(other)")
        }
        let none: [UInt8] = []
        let empty = ByteReader(none).remaining
        #expect(all.starts(with: all) && all.starts(with: empty) && empty.starts(with: ""))
        #expect(!empty.starts(with: all) && !empty.starts(with: "G"))
    }

    @Test func `one other byte anywhere makes a difference, whatever the length`() {
        for count in 1..<40 {
            let bytes = (0..<count).map { UInt8($0) }
            let isSame = ByteReader(bytes).remaining.equals(bytes)
            #expect(isSame, "\(count)")
            for index in bytes.indices {
                var other = bytes
                other[index] ^= 0x80
                let longer = bytes + [1]
                let isFound = ByteReader(bytes).remaining.equals(other)
                let isBegun = ByteReader(longer).remaining.starts(with: other)
                #expect(!isFound && !isBegun, "\(index) of \(count)")
            }
        }
    }

    @Test func `the case of ASCII's letters, and of nothing else, can be ignored`() {
        func isEqual(_ bytes: String, _ text: String) -> Bool {
            let array = Array(bytes.utf8)
            return ByteReader(array).remaining.equalsIgnoringCase(text)
        }
        #expect(isEqual("GeT", "gEt") && isEqual("az@[", "AZ@[") && isEqual("", ""))
        #expect(!isEqual("@[", "`{") && !isEqual("get", "gets") && !isEqual("Ä", "ä"))
        #expect(!isEqual("get", "got"))
    }

    @Test func `a switch over bytes has texts for its cases`() {
        func kind(_ text: String) -> Int {
            let array = Array(text.utf8)
            switch ByteReader(array).remaining {
            case "PING": return 1
            case "QUIT": return 2
            default: return 0
            }
        }
        #expect(["PING", "QUIT", "ping", "", "PING "].map(kind) == [1, 2, 0, 0, 0])
    }

    @Test func `the first such byte is found at every place, whatever stands around it`() {
        for count in 0..<40 {
            for other: UInt8 in [0, 1, 9, 11, 0x80, 0x8a, 0xff] {
                let none = [UInt8](repeating: other, count: count)
                #expect(ByteReader(none).remaining.firstIndex(of: 10) == nil)
                for index in 0..<count {
                    var bytes = none
                    bytes[index] = 10
                    bytes[count - 1] = 10
                    #expect(ByteReader(bytes).remaining.firstIndex(of: 10) == index)
                }
            }
        }
    }

    @Test func `random bytes are found where an array finds them`() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...1, using: &generator) * 0xff
            }
            let wanted = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
                UInt8.random(in: 0...1, using: &generator) * 0xff
            }
            let index = (0...bytes.count).first { bytes[$0...].starts(with: wanted) }
            let found = ByteReader(bytes).remaining.firstIndex(of: ByteReader(wanted).remaining)
            #expect(found == index, "\(wanted) in \(bytes), TRON_SEED=\(RandomRun.seed)")
        }
    }
}
