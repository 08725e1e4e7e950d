// The tools that count what a packet costs a server: which are there, and what is missing.
import Glibc

/// The tools of this machine, and a folder for what they write.
final class Instruments {
    /// How instructions are counted.
    enum Instructions: String, CaseIterable, Sendable {
        case counters
        case callgrind
        case none
    }

    let folder: TemporaryFolder
    let instructions: Instructions
    let strace: String?
    let valgrind: String?
    /// A library that counts allocations when it is preloaded.
    let allocationCounter: String?
    /// Why something is not available, for the reader of the table.
    private(set) var notes: [String] = []

    /// Picks how instructions are counted, unless told.
    init(instructions wish: Instructions?) throws(Failure) {
        folder = try TemporaryFolder()
        valgrind = Files.command("valgrind")
        strace = Files.command("strace")
        let refusal = Self.refusalOfCounters
        switch wish {
        case let wish?: instructions = wish
        case nil where refusal == nil: instructions = .counters
        case nil: instructions = valgrind == nil ? .none : .callgrind
        }
        allocationCounter = try Self.buildAllocationCounter(in: folder.path)
        switch instructions {
        case .counters:
            if let refusal { throw Failure("--instructions counters: \(refusal)") }
        case .callgrind:
            if valgrind == nil { throw Failure("--instructions callgrind: there is no valgrind") }
            notes.append("user instructions by callgrind")
            notes.append(
                "kernel instructions and cycles not available: " + (refusal ?? "not asked"))
        case .none:
            notes.append("instructions and cycles not available: " + (refusal ?? "not asked for"))
        }
        if strace == nil { notes.append("system calls not available: there is no strace") }
        if allocationCounter == nil {
            notes.append("allocations not available: no C compiler, or no \(Self.counterSource)")
        }
    }

    func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }

    /// Why there are no counters of the hardware, or nil where there are.
    private static var refusalOfCounters: String? {
        do throws(Failure) {
            _ = try Counters(Counters.Event.hardware, of: getpid())
            return nil
        } catch {
            return error.description
        }
    }

    private static let counterSource = ".ci/malloc-counter.c"

    private static func buildAllocationCounter(in folder: String) throws(Failure) -> String? {
        let source = "\(Files.packageFolder)/\(counterSource)"
        let compiler = ["cc", "gcc", "clang"].lazy.compactMap(Files.command).first
        guard let compiler, unsafe access(source, R_OK) == 0 else { return nil }
        let library = "\(folder)/malloc-counter.so"
        let status = try ChildProcess.run(
            [compiler, "-O2", "-shared", "-fPIC", "-o", library, source])
        return status == 0 ? library : nil
    }
}
