// Small files, read and written whole, and the folder for temporary ones.
import Glibc

enum Files {
    /// The content, or nil where it cannot be read. Files of /proc have no size: read to the end.
    static func read(_ path: String) -> String? {
        guard let file = unsafe fopen(path, "re") else { return nil }
        defer { unsafe fclose(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 {
            content += chunk[..<count]
        }
        return String(decoding: content, as: UTF8.self)
    }

    static func write(_ text: String, to path: String) throws(Failure) {
        guard let file = unsafe fopen(path, "we") else { throw Failure(system: path) }
        let bytes = Array(text.utf8)
        let written = unsafe fwrite(bytes, 1, bytes.count, file)
        guard unsafe fclose(file) == 0, written == bytes.count else { throw Failure(system: path) }
    }

    static func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

    /// The names in a folder, sorted; none when there is no such folder.
    static func names(in folder: String) -> [String] {
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// A command's path, as a shell would find it.
    static func command(_ name: String) -> String? {
        guard let path = unsafe getenv("PATH") else { return nil }
        return unsafe String(cString: path).split(separator: ":").map { "\($0)/\(name)" }
            .first(where: isExecutable)
    }

    /// The program that runs here.
    static let ownProgram: String = {
        guard let path = unsafe realpath("/proc/self/exe", nil) else {
            return CommandLine.arguments[0]
        }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }()

    /// The package that this program was built from.
    static let packageFolder = #filePath.split(separator: "/").dropLast(3)
        .reduce(into: "") { $0 += "/" + $1 }
}

/// A folder that goes when its owner does.
struct TemporaryFolder: ~Copyable {
    let path: String

    init() throws(Failure) {
        let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/throughput-benchmark-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw Failure(system: "mkdtemp") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        for name in Files.names(in: path) { unsafe unlink("\(path)/\(name)") }
        unsafe rmdir(path)
    }
}
