// The faults that a test orders from its kernel, and what of the kernel none of them changes.
import Glibc

@testable import Tron

/// The system calls that a fault can befall.
enum KernelCall: String, CaseIterable {
    case socket, bind, listen, accept, connect, shutdown, close, localAddress, setOption
    case linger, socketError, receive, send, read, write, epollCreate, epollControl, epollWait
    case eventDescriptor, signalPlace, signalAction, unlink, socketFile, sendProgress, filter
    case shutdownReading
}

/// What a call does in place of what it would do.
enum KernelFault {
    /// Nothing but to return `-errno`.
    case error(Int32)
    /// As usual, but the caller is told `-errno`.
    case errorAfterwards(Int32)
    /// At most so many bytes move.
    case atMost(Int)
}

extension FaultyKernel {
    func shutdownReading(_ number: Int32) -> Int {
        perform(.shutdownReading, number) { machine.shutdownReading(number) }
    }

    func openSignals(_ number: Int32) -> Int {
        perform(.signalPlace, number) { machine.openSignals(number) }
    }

    func watchSignal(_ place: Int32, _ number: Int32) -> Int {
        perform(.signalAction, -1) { machine.watchSignal(place, number) }
    }

    func takeSignals(_ place: Int32) -> UInt64 { machine.takeSignals(place) }

    func stopSignals(_ place: Int32) { machine.stopSignals(place) }

    func closeSignals(_ place: Int32) { machine.closeSignals(place) }

    func unlink(_ path: String) -> Int { perform(.unlink, -1) { machine.unlink(path) } }

    func sendDatagram(
        _ address: UnsafeRawPointer, _ length: UInt32, _ bytes: UnsafeRawPointer, _ count: Int
    ) -> Int { machine.sendDatagram(address, length, bytes, count) }

    func randomSeed() -> UInt64 { machine.randomSeed() }

    /// The next send moves so many bytes at most, or none, and all other calls what they do.
    func limitNextSend(to count: Int) {
        var isNext = true
        fault = { call, _, _ in
            guard call == .send, isNext else { return nil }
            isNext = false
            return count == 0 ? .error(EAGAIN) : .atMost(count)
        }
    }

    func advance(_ duration: Duration) { clock += duration.clampedNanoseconds }
}

/// What tests of single parts have in place of a reactor's kernel.
extension SignalWatch {
    init(kernel: any KernelBackend) throws(SystemError) { try self.init(kernel: Kernel(kernel)) }
}

extension Epoll {
    init(kernel: any KernelBackend) throws(SystemError) { try self.init(kernel: Kernel(kernel)) }
}

extension Descriptor {
    init(_ number: Int, kernel: any KernelBackend) { self.init(number, kernel: Kernel(kernel)) }
}
