// What each of the demos needs of the C library: exit statuses, its streams, a limit.
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The exit statuses; misuse is EX_USAGE of sysexits.h.
enum ExitStatus {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let misuse: Int32 = 64
}

/// What is said to whoever started the program.
enum Terminal {
    /// A line on standard output, which leaves at once: others wait for it.
    static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    /// Why the program fails: a line on standard error, in its name.
    static func complain(_ line: String) { note("\(program): \(line)") }

    /// What happens meanwhile: a line on standard error.
    static func note(_ line: String) {
        _ = Platform.write([UInt8]("\(line)\n".utf8), to: STDERR_FILENO)
    }
}

enum Platform {
    static func exit(_ status: Int32) -> Never {
        #if canImport(Glibc)
            Glibc.exit(status)
        #else
            Musl.exit(status)
        #endif
    }

    /// Lets the process have as many descriptors as it may: a session takes one.
    static func raiseDescriptorLimit() {
        #if canImport(Glibc)
            let descriptors = Int32(RLIMIT_NOFILE.rawValue)
        #else
            let descriptors = RLIMIT_NOFILE
        #endif
        var limit = rlimit()
        guard unsafe getrlimit(descriptors, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(descriptors, &limit)
    }

    /// Writes it all; false when the descriptor takes no more.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        unsafe bytes.withUnsafeBytes { bytes in
            var rest = unsafe bytes[...]
            while unsafe !rest.isEmpty {
                let chunk = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let count = unsafe systemWrite(descriptor, chunk.baseAddress, chunk.count)
                if count < 0 && errno != EINTR { return false }
                unsafe rest = rest.dropFirst(max(0, count))
            }
            return true
        }
    }
}

// The plain name would mean the function of `Platform` there.
private let systemWrite = unsafe write(_:_:_:)
