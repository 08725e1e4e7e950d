// Writing bytes into room of a fixed size: beside an array, up to the end and beyond it.
import Testing

@testable import Tron

@Suite struct ByteWriterTests {
    /// What `write` writes into so much room; nil for an overrun. Bytes around stay as they were.
    private func written(
        capacity: Int = 100, _ write: (inout ByteWriter) -> Void
    ) -> [UInt8]? {
        withUnsafeTemporaryAllocation(byteCount: capacity + 32, alignment: 1) { memory in
            memory.initializeMemory(as: UInt8.self, repeating: 0xa5)
            var output = ByteWriter(start: memory.baseAddress! + 16, capacity: capacity)
            write(&output)
            let isWithin =
                memory[..<16].allSatisfy { $0 == 0xa5 }
                && memory[(16 + capacity)...].allSatisfy { $0 == 0xa5 }
            #expect(isWithin && output.count + output.freeCapacity <= capacity)
            let bytes = Array(memory[16..<16 + output.count])
            return output.hasOverrun ? nil : bytes
        }
    }

    @Test func `integers of every width are written in either order`() {
        let bytes = written {
            $0.writeInteger(UInt8(1))
            $0.writeInteger(Int16(-2))
            $0.writeInteger(UInt32(0x0102_0304), .littleEndian)
            $0.writeInteger(Int64(0x0102_0304_0506_0708))
            $0.writeByte(0xff)
        }
        #expect(bytes == [1, 0xff, 0xfe, 4, 3, 2, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0xff])
        let wide = written { $0.writeInteger(UInt128(0x0102), .littleEndian) }
        #expect(wide == [2, 1] + Array(repeating: 0, count: 14))
    }

    @Test func `decimal integers are written as the standard library prints them`() {
        func agrees(_ value: some FixedWidthInteger) -> Bool {
            let bytes = Array("\(value)".utf8)
            return written { $0.writeDecimal(value) } == bytes
                && written(capacity: bytes.count) { $0.writeDecimal(value) } == bytes
                && written(capacity: bytes.count - 1) { $0.writeDecimal(value) } == nil
        }
        var generator = SeededGenerator(seed: RandomRun.seed)
        #expect(agrees(0) && agrees(-1) && agrees(9) && agrees(10) && agrees(-10))
        #expect(agrees(Int.min) && agrees(Int.max) && agrees(UInt64.max) && agrees(Int8.min))
        #expect(agrees(Int128.min) && agrees(UInt128.max) && agrees(Int128(UInt64.max) + 1))
        for _ in 0..<1000 {
            let value = Int64(bitPattern: generator.nextOfAnyMagnitude())
            #expect(agrees(value) && agrees(-value), "\(value), TRON_SEED=\(RandomRun.seed)")
        }
    }

    @Test func `what does not fit whole is left out, and all that follows`() {
        let none = written(capacity: 3) { output in
            output.write([1, 2])
            #expect(output.freeCapacity == 1 && output.count == 2 && !output.hasOverrun)
            output.write([3, 4])
            #expect(output.freeCapacity == 0 && output.count == 2 && output.hasOverrun)
            output.writeByte(5)
            output.write("x")
            output.writeDecimal(6)
            output.writeInteger(UInt8(7))
            output.write([])
            #expect(output.count == 2)
        }
        #expect(none == nil)
        #expect(written(capacity: 0) { $0.write("") } == [])
        #expect(written(capacity: 0) { $0.writeByte(0) } == nil)
        #expect(written(capacity: 2) { $0.write("äö") } == nil)
    }

    @Test func `a length stands in front of what it counts`() {
        let bytes = written { output in
            output.writeLengthPrefixed(as: UInt16.self) { output in
                output.write("ab")
                output.writeLengthPrefixed(as: UInt32.self, .littleEndian) { $0.writeByte(9) }
            }
            output.writeLengthPrefixed(as: UInt8.self) { _ in }
        }
        #expect(bytes == [0, 7, 0x61, 0x62, 1, 0, 0, 0, 9, 0])
    }

    @Test func `a length that its type cannot hold, or that does not fit, is an overrun`() {
        func prefixed(_ count: Int, capacity: Int = 1000) -> [UInt8]? {
            written(capacity: capacity) { output in
                output.writeLengthPrefixed(as: UInt8.self) {
                    $0.write([UInt8](repeating: 1, count: count))
                }
            }
        }
        #expect(prefixed(255)?.first == 255 && prefixed(256) == nil)
        #expect(prefixed(3, capacity: 4) == [3, 1, 1, 1] && prefixed(3, capacity: 3) == nil)
        #expect(prefixed(0, capacity: 0) == nil && prefixed(0, capacity: 1) == [0])
        let signed = written(capacity: 200) { output in
            output.writeLengthPrefixed(as: Int8.self) {
                $0.write([UInt8](repeating: 1, count: 128))
            }
        }
        #expect(signed == nil)
    }

    @Test func `what a closure that throws wrote behind a length is taken back`() {
        struct Refusal: Error {}
        func attempt(_ output: inout ByteWriter, writing count: Int) {
            do throws(Refusal) {
                try output.writeLengthPrefixed(as: UInt16.self) { output throws(Refusal) in
                    output.write([UInt8](repeating: 1, count: count))
                    throw Refusal()
                }
                Issue.record("the error is lost")
            } catch {}
        }
        let bytes = written(capacity: 10) { output in
            output.writeByte(7)
            attempt(&output, writing: 5)
            output.writeByte(8)
        }
        #expect(bytes == [7, 8])
        let overrun = written(capacity: 10) { output in
            attempt(&output, writing: 50)
            #expect(output.count == 0 && output.freeCapacity == 0)
        }
        #expect(overrun == nil)
    }

    @Test func `random writes agree with an array, and a reader reads them back`() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let source = RandomBytes(using: &generator)
        var overruns = 0
        for _ in 0..<RandomRun.operations / 100 {
            var expected: [UInt8]? = []
            let capacity = Int.random(in: 0...60, using: &generator)
            let bytes = written(capacity: capacity) { output in
                for _ in 0..<Int.random(in: 0...8, using: &generator) {
                    let piece = Self.write(to: &output, source, &generator)
                    expected = expected.map { $0 + piece }
                    if expected?.count ?? .max > capacity { expected = nil }
                }
            }
            #expect(bytes == expected, "TRON_SEED=\(RandomRun.seed)")
            if bytes == nil { overruns += 1 }
        }
        #expect(overruns > 10)
    }

    /// What one random write ought to append.
    private static func write(
        to output: inout ByteWriter, _ source: RandomBytes, _ generator: inout SeededGenerator
    ) -> [UInt8] {
        let number = generator.nextOfAnyMagnitude()
        switch Int.random(in: 0..<5, using: &generator) {
        case 0:
            let bytes = [UInt8](source.slice(limit: 40, using: &generator))
            output.write(bytes.span.bytes)
            return bytes
        case 1:
            output.writeDecimal(number)
            return Array("\(number)".utf8)
        case 2:
            output.writeInteger(UInt32(truncatingIfNeeded: number))
            return (0..<4).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        case 3:
            output.writeInteger(number, .littleEndian)
            return (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        default:
            output.write("\(number) €")
            return Array("\(number) €".utf8)
        }
    }
}
