// What both SwiftNIO peers share: one event loop, a listener, and a pipeline for every connection.
import Glibc
import NIOCore
import NIOPosix

/// The most data a packet may have; the header that announces more ends the connection.
public let maximumDataLength: UInt32 = 16 << 20

/// Adds a new connection's handlers.
public typealias AddHandlers = @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void

/// Serves on the port that the command line names, until the process ends.
public func serve(addingHandlers addHandlers: @escaping AddHandlers) throws {
    guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
        print("usage: \(CommandLine.arguments[0]) PORT")
        exit(64)
    }
    raiseDescriptorLimit()
    let listener = try ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
        .serverChannelOption(.backlog, value: 65_535)
        .serverChannelOption(.maxMessagesPerRead, value: 256)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try addHandlers(channel.pipeline.syncOperations)
            }
        }
        .bind(host: "127.0.0.1", port: port)
        .wait()
    try listener.closeFuture.wait()
}

/// As many descriptors as the system gives without asking.
private func raiseDescriptorLimit() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
