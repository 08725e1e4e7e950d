// The kernel under the fault matrix: one fault, and TCP that is made of Unix sockets.
import Glibc
import Synchronization

@testable import Tron

/// Where one fault strikes.
struct FaultSpot: Hashable {
    let call: KernelCall
    let code: Int32
    /// The call's number, from 1.
    let index: Int
    /// Every later call fails, too.
    let isForGood: Bool

    /// Calls that are to be repeated succeed in the end: for good means seven times of eight.
    var isStorm: Bool { call != .connect && (code == EINTR || code == EAGAIN) }

    /// What these do is done also where they fail.
    var isDoneAllTheSame: Bool {
        call == .close || call == .connect && (code == EINTR || code == EINPROGRESS)
    }
}

/// TCP is played by Unix sockets, which carry bytes within the sender's call: so every run of a
/// scenario makes the same calls in the same order, and time passes only when nothing else happens.
final class MatrixKernel: FaultyKernel, @unchecked Sendable {
    /// How long, in nanoseconds, a wait takes that a fault befalls.
    private static let interruptedWait: Int64 = 1_000_000
    /// More waits than any scenario needs, also when every one of them is interrupted.
    private static let maximumWaits = 3000

    let spot: FaultSpot?
    /// How often the fault struck.
    private(set) var strikes = 0
    /// The most waits in a row that brought events, after which no call but waits succeeded.
    private(set) var longestStall = 0
    private(set) var isEndless = false
    var giveUp: () -> Void = {}

    private var stall = 0
    private var successesSeen = 0
    private var successes = 0
    /// What the machine's kernel answered last, where the caller may have been told otherwise.
    private var lastAnswer = 0
    private var names: [Int32: SocketAddress] = [:]
    private var pendingErrors: [Int32: Int32] = [:]
    private var nextPort: UInt16 = 9000
    private let identity = MatrixKernel.count.wrappingAdd(1, ordering: .relaxed).newValue
    private static let count = Atomic(0)

    init(_ spot: FaultSpot?) {
        self.spot = spot
        super.init()
        patience = 0
        countsWrites = true
        guard let spot else { return }
        fault = { [unowned self] call, number, _ in
            guard call == spot.call, number >= spot.index else { return nil }
            guard spot.isForGood || number == spot.index else { return nil }
            if spot.isStorm && (number - spot.index) % 8 == 7 { return nil }
            strikes += 1
            return spot.isDoneAllTheSame ? .errorAfterwards(spot.code) : .error(spot.code)
        }
    }

    override func transfer(
        _ call: KernelCall, _ descriptor: Int32, _ count: Int, _ body: (Int) -> Int
    ) -> Int {
        let result = super.transfer(call, descriptor, count) { count in
            lastAnswer = body(count)
            return lastAnswer
        }
        if result >= 0 && call != .epollWait && call != .epollControl { successes += 1 }
        return result
    }

    override func epollWait(
        _ epoll: Int32, _ list: UnsafeMutableRawPointer, _ count: Int32, nanoseconds: Int64
    ) -> Int {
        let struck = strikes
        let found = super.epollWait(epoll, list, count, nanoseconds: nanoseconds)
        if strikes > struck {
            clock += nanoseconds < 0 ? Self.interruptedWait : min(nanoseconds, Self.interruptedWait)
        } else if found > 0 && successes == successesSeen {
            stall += 1
            longestStall = max(longestStall, stall)
            // Time passes also for a loop that spins, if slowly.
            if stall > 3 { clock += Self.interruptedWait }
        } else {
            stall = 0
        }
        successesSeen = successes
        if waits > Self.maximumWaits {
            isEndless = true
            giveUp()
        }
        return found
    }

    override func socketFile(_ path: String) -> SocketFile? {
        var file: SocketFile?
        let result = perform(.socketFile, -1) {
            file = super.socketFile(path)
            return file == nil ? 0 : 1
        }
        return result == 1 ? file : nil
    }

    override func sendProgress(_ number: Int32, _ progress: inout SendProgress) -> Int {
        perform(.sendProgress, number) { super.sendProgress(number, &progress) }
    }

    // MARK: - TCP

    /// Where a plain peer reaches a listener.
    func reachable(_ address: SocketAddress) -> SocketAddress {
        guard let port = address.port else { return address }
        let name = "@tron-matrix-\(getpid())-\(identity)-\(port)"
        return (try? UnixPath(name)).map { .unix($0) } ?? address
    }

    /// Buffers are small, so that few bytes fill them.
    override func socket(family: Int32) -> Int {
        let result = super.socket(family: AF_UNIX)
        if result >= 0 { makeSmall(Int32(result)) }
        return result
    }

    private func makeSmall(_ descriptor: Int32) {
        var size: Int32 = 4096
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, 4)
    }

    override func accept(
        _ number: Int32, _ address: UnsafeMutableRawPointer, _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let result = super.accept(number, address, length)
        if result >= 0 { makeSmall(Int32(result)) }
        return result
    }

    override func bind(_ number: Int32, _ raw: UnsafeRawPointer, _ length: UInt32) -> Int {
        guard var address = SocketAddress(raw: raw, length: length), !address.isUnix else {
            return super.bind(number, raw, length)
        }
        if address.port == 0 {
            address = address.withPort(nextPort)
            nextPort += 1
        }
        names[number] = address
        return reachable(address).withRawAddress { super.bind(number, $0, $1) }
    }

    /// Always under way at first, as over a network.
    override func connect(_ number: Int32, _ raw: UnsafeRawPointer, _ length: UInt32) -> Int {
        guard let address = SocketAddress(raw: raw, length: length), !address.isUnix else {
            return super.connect(number, raw, length)
        }
        let struck = strikes
        let result = reachable(address).withRawAddress { super.connect(number, $0, $1) }
        names[number] = .loopback(port: 1)
        let isRefused = strikes > struck
        if isRefused && spot?.isDoneAllTheSame == false { return result }
        if lastAnswer < 0 { pendingErrors[number] = Int32(-lastAnswer) }
        return isRefused ? result : -Int(EINPROGRESS)
    }

    override func socketError(_ number: Int32, _ error: UnsafeMutablePointer<Int32>) -> Int {
        let result = super.socketError(number, error)
        if result == 0, let pending = pendingErrors.removeValue(forKey: number) {
            error.pointee = pending
        }
        return result
    }

    override func localAddress(
        _ number: Int32, _ address: UnsafeMutableRawPointer, _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let result = super.localAddress(number, address, length)
        guard result == 0, let name = names[number] else { return result }
        name.withRawAddress { raw, count in
            address.copyMemory(from: raw, byteCount: Int(count))
            length.pointee = count
        }
        return result
    }

    override func setOption(_ number: Int32, level: Int32, name: Int32, value: Int32) -> Int {
        perform(.setOption, number) { 0 }
    }

    override func dropNewConnections(_ number: Int32) -> Int { perform(.filter, number) { 0 } }

    override func close(_ number: Int32) -> Int {
        names[number] = nil
        pendingErrors[number] = nil
        return super.close(number)
    }
}
