// The kernel of the tests moves bytes in pieces: it receives into two, and sends of three.
@testable import Tron

extension FaultyKernel {
    func receive(
        _ number: Int32, _ first: UnsafeMutableRawBufferPointer,
        _ second: UnsafeMutableRawBufferPointer
    ) -> Int {
        firstRooms.append(first.count)
        return transfer(.receive, number, first.count + second.count) { count in
            let head = UnsafeMutableRawBufferPointer(rebasing: first[..<min(count, first.count)])
            let tail = UnsafeMutableRawBufferPointer(rebasing: second[..<(count - head.count)])
            return machine.receive(number, head, tail)
        }
    }

    func send(
        _ number: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        _ third: UnsafeRawBufferPointer
    ) -> Int {
        let size = first.count + second.count + third.count
        if let sink, sink.takes(number, size) {
            sink.noteSend(number)
            return transfer(.send, number, size) { sink.take(number, [first, second, third], $0) }
        }
        return transfer(.send, number, size) { count in
            var left = count
            let pieces = [first, second, third].map { piece in
                defer { left -= min(left, piece.count) }
                return UnsafeRawBufferPointer(rebasing: piece.prefix(left))
            }
            return machine.send(number, pieces[0], pieces[1], pieces[2])
        }
    }
}
