// What a process inherits from whoever started it: its environment's variables, and its number.
internal import CEpollShim

/// The environment of this process. Reading and changing it is not safe while another thread
/// changes it (getenv(3)): so it is looked at once, when a program starts.
enum ProcessEnvironment {
    static func variable(_ name: String) -> String? {
        unsafe tron_environment(name).map { unsafe String(cString: $0) }
    }

    static func forget(_ name: String) { unsafe tron_forget_environment(name) }

    /// The number of this process.
    static var process: Int32 { tron_process() }
}
