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
    /// The counters of the hardware that may be used here: often the user's but not the kernel's.
    let events: [(figure: Figure, event: Counters.Event)]
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
        events = Counters.Event.hardware.filter { Self.refusal(of: $0.event) == nil }
        let hasCounters = events.contains { $0.figure == .userInstructions }
        instructions = wish ?? (hasCounters ? .counters : valgrind == nil ? .none : .callgrind)
        allocationCounter = try Self.buildAllocationCounter(in: folder.path)
        if instructions == .counters,
            let refusal = Self.refusal(of: Counters.Event.hardware[0].event)
        {
            throw Failure("--instructions counters: \(refusal)")
        }
        if instructions == .callgrind && valgrind == nil {
            throw Failure("--instructions callgrind: there is no valgrind")
        }
        noteMissingCounters()
        if strace == nil { notes.append("system calls not available: there is no strace") }
        if allocationCounter == nil {
            notes.append("allocations not available: no C compiler, or no \(Self.counterSource)")
        }
    }

    func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }

    private func noteMissingCounters() {
        if instructions == .callgrind { note("user instructions by callgrind") }
        var missing: [String: [String]] = [:]
        for (figure, event) in Counters.Event.hardware {
            if instructions == .callgrind && figure == .userInstructions { continue }
            let refusal = Self.refusal(of: event)
            if instructions == .counters && refusal == nil { continue }
            missing[refusal ?? "not asked for", default: []].append(figure.fullTitle)
        }
        for (reason, names) in missing.sorted(by: { $0.key < $1.key }) {
            note("\(names.joined(separator: ", ")) not available: \(reason)")
        }
    }

    /// Why a counter may not be used here, or nil where it may.
    private static func refusal(of event: Counters.Event) -> String? {
        do throws(Failure) {
            _ = try Counters([event], of: getpid())
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
