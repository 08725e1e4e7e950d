// A socket that listens: made here, or by another process that has handed it over.
internal import CEpollShim

/// A listening socket, where it listens, and the file that stands for it.
struct ListeningSocket: ~Copyable {
    var descriptor: Descriptor
    let address: SocketAddress
    /// The file that bind(2) made here: to be removed by whoever stops listening. Nil where there
    /// is none, or where it belongs to the process that handed the socket over.
    let file: SocketFile?
    /// Whether another process has it, too: connections wait there when it is closed here.
    let isInherited: Bool

    init(
        descriptor: consuming Descriptor, address: SocketAddress, file: SocketFile?,
        isInherited: Bool = false
    ) {
        self.descriptor = descriptor
        self.address = address
        self.file = file
        self.isInherited = isInherited
    }

    /// Readies one that another process made. What is no listening stream socket is left alone.
    static func adopt(_ number: Int32, kernel: Kernel) throws(SystemError) {
        let result = kernel.adoptListener(number)
        // A number that is no descriptor at all is the other process's mistake, and nobody's here.
        guard result >= 0 else { throw SystemError(.getsockopt, code: Int32(-result)) }
    }

    /// One that was adopted. It is closed when the kernel does not tell where it listens.
    static func adopted(_ number: Int32, kernel: Kernel) throws(SystemError) -> ListeningSocket {
        let descriptor = Descriptor(Int(number), kernel: kernel)
        guard let address = try SocketCalls(kernel: kernel).localAddress(of: number) else {
            throw SystemError(.getsockname, code: EAFNOSUPPORT)
        }
        return ListeningSocket(
            descriptor: descriptor, address: address, file: nil, isInherited: true)
    }
}
