// Where within their pages the two buffers begin between which most bytes are copied.

/// A buffer that begins at a chosen distance from the beginning of a page.
///
/// Copies of more than about 2 KiB, glibc's and the kernel's, are one instruction (`rep movsb`),
/// which some processors (AMD's family 25 among them) make many times slower where the target lies
/// 1 to 63 bytes ahead of the source, modulo 4 KiB. With both buffers at the beginning
/// of a page that is where a packet's 11 bytes of overhead put them. The kernel's own memory mostly
/// begins at the beginning of a page or a little behind it. So the two lie apart from that, and
/// half a page from each other.
enum PagePlacement: Int {
    case received = 512
    case toSend = 2560

    private static var page: Int { 4096 }

    func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        unsafe .allocate(byteCount: rawValue + byteCount, alignment: Self.page) + rawValue
    }

    /// Of what `allocate` gave.
    func deallocate(_ base: UnsafeMutableRawPointer) { unsafe (base - rawValue).deallocate() }
}
