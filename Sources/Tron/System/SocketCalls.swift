// The calls on a connection's socket, judged: by number, for whoever owns its descriptor.
internal import CEpollShim

/// One reactor's, for all of its sessions: each owns no more than a number, so that idle ones take
/// little memory, and none counts a reference to the kernel. It cannot be copied, because a copy
/// would count one for each call.
struct SocketCalls: ~Copyable {
    let kernel: Kernel

    /// Gives a descriptor back, once. Linux releases the number whatever close(2) answers, so that
    /// nothing is repeated here; and an error it reports late belongs to bytes that the peer's
    /// silence would have told of too.
    borrowing func close(_ number: Int32) {
        let result = kernel.close(number)
        demand(result != -Int(EBADF), "close: descriptor \(number) was closed by others")
    }
}

// MARK: - Bytes

extension SocketCalls {
    /// Up to `bytes.count` bytes; 0 is the peer's end of stream, nil that none have arrived.
    @inline(__always)
    borrowing func receive(
        from number: Int32, into bytes: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int? {
        try SystemError.judge(.recv) {
            unsafe kernel.receive(number, bytes.baseAddress.unsafelyUnwrapped, bytes.count)
        }
    }

    /// The same into `first`, and what does not fit there into `second`.
    borrowing func receive(
        from number: Int32, into first: UnsafeMutableRawBufferPointer,
        then second: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int? {
        try SystemError.judge(.recv) { unsafe kernel.receive(number, first, second) }
    }

    /// How many bytes the kernel took; nil when it takes none now.
    @inline(__always)
    borrowing func send(
        _ bytes: UnsafeRawBufferPointer, to number: Int32
    ) throws(SystemError) -> Int? {
        try SystemError.judge(.send) {
            unsafe kernel.send(number, bytes.baseAddress.unsafelyUnwrapped, bytes.count)
        }
    }

    /// The same for bytes in pieces, each of which may be empty.
    borrowing func send(
        _ first: UnsafeRawBufferPointer, then second: UnsafeRawBufferPointer,
        then third: UnsafeRawBufferPointer, to number: Int32
    ) throws(SystemError) -> Int? {
        try SystemError.judge(.send) { unsafe kernel.send(number, first, second, third) }
    }

    /// Sends FIN: nothing more will be written.
    borrowing func shutdownWriting(_ number: Int32) throws(SystemError) {
        try SystemError.require(.shutdown) { kernel.shutdownWriting(number) }
    }

    /// Makes the close that follows send RST and drop what the kernel still holds.
    borrowing func resetOnClose(_ number: Int32) throws(SystemError) {
        try SystemError.require(.setsockopt) { kernel.setLingerZero(number) }
    }
}

// MARK: - What the kernel knows

extension SocketCalls {
    /// The pending error, 0 when there is none. Reading clears it.
    borrowing func takeError(of number: Int32) throws(SystemError) -> Int32 {
        var error: Int32 = 0
        try SystemError.require(.getsockopt) { unsafe kernel.socketError(number, &error) }
        return error
    }

    borrowing func localAddress(of number: Int32) throws(SystemError) -> SocketAddress? {
        let capacity = Int(tron_address_capacity())
        return try unsafe withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) {
            storage throws(SystemError) in
            let base = unsafe storage.baseAddress.unsafelyUnwrapped
            var length = UInt32(capacity)
            try SystemError.require(.getsockname) {
                unsafe kernel.localAddress(number, base, &length)
            }
            return unsafe SocketAddress(raw: base, length: length)
        }
    }

    /// How far a connection's output has come. Nil where the kernel does not tell: of Unix sockets,
    /// or on a system that has no TCP_INFO.
    borrowing func sendProgress(of number: Int32) -> SendProgress? {
        var progress = SendProgress()
        let result = try? SystemError.require(.getsockopt) {
            kernel.sendProgress(number, &progress)
        }
        return result == nil ? nil : progress
    }
}
