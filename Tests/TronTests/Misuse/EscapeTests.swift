// What lies in a receive buffer cannot be kept beyond its handler: the compiler says no.
import Glibc
import Testing

@testable import Tron

private enum BuiltModules {
    /// Where the library's module lies: beside this program.
    static let path: String? = {
        var path = [CChar](repeating: 0, count: 4096)
        guard readlink("/proc/self/exe", &path, path.count - 1) > 0 else { return nil }
        let folder = String(cString: path).split(separator: "/").dropLast().joined(separator: "/")
        let modules = "/" + folder + "/Modules"
        return access(modules + "/Tron.swiftmodule", F_OK) == 0 ? modules : nil
    }()
}

@Suite(.enabled(if: Tool.has("swiftc") && BuiltModules.path != nil, "needs the built module"))
struct EscapeTests {
    /// Whether a handler with this body passes the compiler's checks.
    private func compiles(_ handler: String) throws -> Bool {
        var template = Array("/tmp/tron-escape-\(String(repeating: "X", count: 6))".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        let file = folder + "/handler.swift"
        defer {
            unlink(file)
            rmdir(folder)
        }
        let stream = try #require(fopen(file, "w"))
        fputs(
            "import Tron\nfunc use(_ reactor: Reactor, _ session: Session) {\n\(handler)\n}\n",
            stream)
        fclose(stream)
        let modules = try #require(BuiltModules.path)
        return Tool.run(
            "swiftc",
            [
                "-emit-sil", "-swift-version", "6", "-parse-as-library", "-I", modules,
                "-I", Package.root + "CEpollShim", "-o", "/dev/null", file,
            ])
    }

    private static let lines = "session.onFrames(of: .lines()) { "

    /// What passes, and the same with one mistake.
    struct Pair: Sendable {
        let good: String
        let bad: String
    }

    @Test(arguments: [
        Pair(
            good: "session.onPacket { let kept = $1.copy(); reactor.callSoon { _ = kept } }",
            bad: "session.onPacket { let kept = $1.data; reactor.callSoon { _ = kept } }"),
        Pair(
            good: lines + "let kept = $1.copy(); reactor.callSoon { _ = kept } }",
            bad: lines + "let kept = $1.content; reactor.callSoon { _ = kept } }"
        ),
    ])
    func `what is received cannot be kept but as a copy`(pair: Pair) throws {
        #expect(try compiles(pair.good))
        #expect(try !compiles(pair.bad))
    }

    @Test func `what a session's task is given cannot be given to another`() throws {
        let take = "for try await packet in session.packets { _ = packet }"
        #expect(try compiles("session.task { session in \(take) }"))
        #expect(try !compiles("session.task { session in Task.detached { \(take) } }"))
    }
}
