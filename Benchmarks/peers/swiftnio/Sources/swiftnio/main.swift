// SwiftNIO as its documentation recommends: a decoder and an encoder of packets in the pipeline,
// a handler of packets behind them, and one flush when a read is complete.
import Listening
import NIOCore

struct Packet {
    var sequence: Int32
    var category: UInt8
    var data: ByteBuffer
}

enum PacketFault: Error { case dataTooLong, badTrailer }

let headerLength = 9
let overhead = 11
let trailer: UInt16 = 0x0d0a

struct PacketDecoder: ByteToMessageDecoder {
    typealias InboundOut = Packet

    mutating func decode(
        context: ChannelHandlerContext, buffer: inout ByteBuffer
    ) throws -> DecodingState {
        guard
            let (sequence, category, dataLength) = buffer.peekMultipleIntegers(
                as: (Int32, UInt8, UInt32).self)
        else { return .needMoreData }
        guard dataLength <= maximumDataLength else { throw PacketFault.dataTooLong }
        guard buffer.readableBytes >= overhead + Int(dataLength) else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: headerLength)
        guard let data = buffer.readSlice(length: Int(dataLength)),
            buffer.readInteger(as: UInt16.self) == trailer
        else { throw PacketFault.badTrailer }
        let packet = Packet(sequence: sequence, category: category, data: data)
        context.fireChannelRead(wrapInboundOut(packet))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState { .needMoreData }
}

struct PacketEncoder: MessageToByteEncoder {
    typealias OutboundIn = Packet

    func encode(data packet: Packet, out: inout ByteBuffer) throws {
        let dataLength = packet.data.readableBytes
        out.reserveCapacity(minimumWritableBytes: overhead + dataLength)
        out.writeMultipleIntegers(packet.sequence, packet.category, UInt32(dataLength))
        out.writeImmutableBuffer(packet.data)
        out.writeInteger(trailer)
    }
}

/// Reads nothing while the output is above its high watermark.
final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = Packet
    typealias OutboundOut = Packet

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.write(data, promise: nil)
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

try serve { pipeline in
    try pipeline.addHandlers(
        ByteToMessageHandler(PacketDecoder()), MessageToByteHandler(PacketEncoder()), EchoHandler())
}
