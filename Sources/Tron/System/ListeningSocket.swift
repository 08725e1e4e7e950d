// A socket that listens: made here, or by another process that has handed it over.
internal import CEpollShim

/// A listening socket, where it listens, and the file that stands for it.
struct ListeningSocket: ~Copyable {
    var descriptor: Descriptor
    let address: SocketAddress
    /// The file that bind(2) made here: to be removed by whoever stops listening. Nil where there
    /// is none, or where it belongs to the process that handed the socket over.
    let file: SocketFile?

    /// One that another process made. It is this process's from now on, whatever becomes of the
    /// call; but for the descriptor, a refusal leaves it as it was.
    static func adopting(_ number: Int32, kernel: Kernel) throws(SystemError) -> ListeningSocket {
        let result = kernel.adoptListener(number)
        // A number that is no descriptor at all is the other process's mistake, and nobody's here.
        guard result >= 0 else { throw SystemError(.getsockopt, code: Int32(-result)) }
        let descriptor = Descriptor(Int(number), kernel: kernel)
        guard let address = try descriptor.localAddress() else {
            throw SystemError(.getsockname, code: EAFNOSUPPORT)
        }
        return ListeningSocket(descriptor: descriptor, address: address, file: nil)
    }
}
