// SwiftNIO tuned by hand: one handler, which checks packets where they lie in the received buffer
// and writes the buffer back.
import Listening
import NIOCore

let headerLength = 9
let overhead = 11

/// What the front of the received bytes is.
enum Scan {
    /// Bytes of the whole packets, and the length of the packet after them: 0 while its header is
    /// not there.
    case valid(whole: Int, needed: Int)
    case fault

    init(_ bytes: UnsafeRawBufferPointer) {
        var end = 0
        while bytes.count - end >= headerLength {
            let dataLength = UInt32(
                bigEndian: bytes.loadUnaligned(fromByteOffset: end + 5, as: UInt32.self))
            let length = overhead + Int(dataLength)
            guard dataLength <= maximumDataLength else {
                self = .fault
                return
            }
            guard bytes.count - end >= length else {
                self = .valid(whole: end, needed: length)
                return
            }
            guard bytes[end + length - 2] == 0x0d, bytes[end + length - 1] == 0x0a else {
                self = .fault
                return
            }
            end += length
        }
        self = .valid(whole: end, needed: 0)
    }
}

/// Reads nothing while the output is above its high watermark.
final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The start of a packet.
    private var partial: ByteBuffer?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var received = unwrapInboundIn(data)
        if var joined = partial.take() {
            joined.writeBuffer(&received)
            received = joined
        }
        guard case .valid(let whole, let needed) = received.withUnsafeReadableBytes(Scan.init)
        else {
            context.close(promise: nil)
            return
        }
        if whole == received.readableBytes {
            context.write(wrapOutboundOut(received), promise: nil)
        } else {
            if whole > 0, let answer = received.readSlice(length: whole) {
                context.write(wrapOutboundOut(answer), promise: nil)
            }
            keep(received, needed: needed, context: context)
        }
    }

    /// A packet whose length is known is given its room at once; what was written back holds on to
    /// its buffer, so that the rest of it is copied.
    private func keep(_ rest: ByteBuffer, needed: Int, context: ChannelHandlerContext) {
        var rest = rest
        if rest.readerIndex > 0 {
            var copy = context.channel.allocator.buffer(
                capacity: max(needed, rest.readableBytes))
            copy.writeBuffer(&rest)
            rest = copy
        } else if needed > rest.readableBytes {
            rest.reserveCapacity(minimumWritableBytes: needed - rest.readableBytes)
        }
        partial = rest
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        try? context.channel.syncOptions?.setOption(.autoRead, value: context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

try serve { pipeline in try pipeline.addHandler(EchoHandler()) }
