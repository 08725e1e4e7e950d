// What became of each request, in a file that is compared with the servers' own.
import Glibc

/// Twelve bytes for each, three big-endian numbers: the client, the request's number, and whether
/// it was answered.
final class Ledger {
    private let file: UnsafeMutablePointer<FILE>

    init(at path: String) {
        guard let file = fopen(path, "wxe") else { fatalError("\(path) cannot be made") }
        self.file = file
    }

    func write(client: Int, number: Int, isAnswered: Bool) {
        for field in [client, number, isAnswered ? 1 : 0] {
            var bytes = UInt32(field).bigEndian
            precondition(fwrite(&bytes, 4, 1, file) == 1, "the ledger cannot be written")
        }
    }

    func close() { precondition(fclose(file) == 0, "the ledger cannot be written") }
}
