// Ownership of a file descriptor.

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
        if isOpen { SocketCalls(kernel: kernel).close(number) }
    }

    /// Gives the descriptor back. Once: later calls do nothing.
    mutating func close() {
        guard isOpen else { return }
        SocketCalls(kernel: kernel).close(number)
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
}
