// Host names to addresses without blocking the loop: helper threads, and a short memory.

/// Resolves names for one reactor, on at most a few threads at a time.
///
/// Invariant: a name that is being looked up has waiters, and every waiter is called once.
final class Resolver {
    typealias Answer = Result<[SocketAddress], ResolutionError>

    /// Lookups at the same time; each blocks a thread. More names wait their turn.
    static let maximumThreads = 8

    /// How long an answer is used again, in nanoseconds: getaddrinfo(3) does not tell the record's
    /// own time to live, and half a minute spares a crowd of reconnecting clients most lookups.
    static let memory: Int64 = 30_000_000_000

    private let registry: Registry
    private let remote: RemoteReactor
    private var known: [String: (addresses: [SocketAddress], until: Int64)] = [:]
    private var waiters: [String: [(Answer) -> Void]] = [:]
    private let queue = Queue<String>()
    private var threads = 0

    init(registry: Registry, remote: RemoteReactor) {
        self.registry = registry
        self.remote = remote
    }

    /// Calls `completion` on the loop, perhaps at once.
    func resolve(_ host: String, _ completion: @escaping (Answer) -> Void) {
        if let answer = known[host], registry.now < answer.until {
            return completion(.success(answer.addresses))
        }
        let isUnderWay = waiters[host] != nil
        waiters[host, default: []].append(completion)
        guard !isUnderWay else { return }
        queue.append(host)
        startThreads()
    }

    private func startThreads() {
        while threads < Self.maximumThreads, let host = queue.take() {
            let (kernel, remote) = (registry.kernel, remote)
            threads += 1
            do throws(SystemError) {
                try startThread(by: kernel) {
                    let answer = kernel.resolve(host)
                    _ = remote.submitAlways { $0.resolver.finished(host, answer) }
                }
            } catch {
                finished(host, .failure(ResolutionError(host: host, message: error.description)))
            }
        }
    }

    private func finished(_ host: String, _ answer: Answer) {
        threads -= 1
        if case .success(let addresses) = answer {
            forgetExpired()
            known[host] = (addresses, registry.now + Self.memory)
        }
        for waiter in waiters.removeValue(forKey: host) ?? [] { waiter(answer) }
        startThreads()
    }

    /// The reactor has ended: nobody is told any more, and nothing is kept alive by that.
    func close() {
        waiters = [:]
        queue.removeAll()
    }

    private func forgetExpired() {
        known = known.filter { registry.now < $0.value.until }
    }
}
