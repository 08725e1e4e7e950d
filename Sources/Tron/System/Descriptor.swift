// Ownership of a file descriptor, and the calls that move bytes through it.
internal import CEpollShim

/// Owns one file descriptor: it is closed when this value ends, or before by `close()`.
///
/// Invariant: `number` is open and belongs to nobody else, or it is -1.
struct Descriptor: ~Copyable {
    let kernel: Kernel
    private(set) var number: Int32

    init(_ number: Int, kernel: Kernel) {
        self.number = Int32(truncatingIfNeeded: number)
        self.kernel = kernel
    }

    /// Whether there is one to close.
    var isOpen: Bool { number >= 0 }

    deinit {
        if number >= 0 { Self.close(number, kernel) }
    }

    /// Gives the descriptor back. Once: later calls do nothing.
    mutating func close() {
        guard number >= 0 else { return }
        Self.close(number, kernel)
        number = -1
    }

    /// Moves the ownership out; what is left behind owns nothing.
    mutating func take() -> Descriptor { take(by: kernel) }

    /// The same, for the calls of another kernel.
    mutating func take(by kernel: Kernel) -> Descriptor {
        defer { number = -1 }
        return Descriptor(Int(number), kernel: kernel)
    }

    /// Gives the number to somebody who closes it.
    mutating func surrender() -> Int32 {
        defer { number = -1 }
        return number
    }

    /// Linux releases the number whatever close(2) answers, so that nothing is repeated here; and
    /// an error it reports late belongs to bytes that the peer's silence would have told of too.
    private static func close(_ number: Int32, _ kernel: Kernel) {
        let result = kernel.close(number)
        demand(result != -Int(EBADF), "close: descriptor \(number) was closed by others")
    }

    /// Up to `bytes.count` bytes; 0 is the peer's end of stream, nil that none have arrived.
    @inline(__always)
    borrowing func receive(
        into bytes: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int? {
        try SystemError.judge(.recv) {
            unsafe kernel.receive(number, bytes.baseAddress.unsafelyUnwrapped, bytes.count)
        }
    }

    /// The same into `first`, and what does not fit there into `second`.
    borrowing func receive(
        into first: UnsafeMutableRawBufferPointer, then second: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int? {
        try SystemError.judge(.recv) { unsafe kernel.receive(number, first, second) }
    }

    /// How many bytes the kernel took; nil when it takes none now.
    @inline(__always)
    borrowing func send(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int? {
        try SystemError.judge(.send) {
            unsafe kernel.send(number, bytes.baseAddress.unsafelyUnwrapped, bytes.count)
        }
    }

    /// The same for bytes in pieces, each of which may be empty.
    borrowing func send(
        _ first: UnsafeRawBufferPointer, then second: UnsafeRawBufferPointer,
        then third: UnsafeRawBufferPointer
    ) throws(SystemError) -> Int? {
        try SystemError.judge(.send) { unsafe kernel.send(number, first, second, third) }
    }
}
