// The system calls on sockets: which file each means, and what the network is to do.
import Glibc
import Tron

extension SimulatedKernel {
    package func socket(family: Int32) -> Int {
        pass()
        nextPort &+= 1
        let host = place.host == 0 ? 0x0a00_0001 : place.host
        let local = SocketAddress.ipv4(host: host, port: nextPort)
        return open(.socket(network.makeEnd(isLibrary: true, local: local, at: place)))
    }

    package func bind(_ number: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        guard let file = file(number, .bind), let end = file.end,
            let address = unsafe SocketAddress(raw: address, length: length)
        else { return -Int(EINVAL) }
        return bind(end, to: address)
    }

    package func listen(_ number: Int32, backlog: Int32) -> Int {
        guard let file = file(number, .listen), let end = file.end else { return -Int(EINVAL) }
        let listener = Listener(
            end.local, backlog: Int(backlog), at: place, keepalive: end.keepalive,
            reusesPort: end.reusesPort)
        file.listener = listener
        network.listen(listener)
        return 0
    }

    package func accept(
        _ number: Int32, _ address: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let file = file(number, .accept4) else { return -Int(EBADF) }
        return unsafe accept(file, address, length)
    }

    package func connect(_ number: Int32, _ address: UnsafeRawPointer, _ length: UInt32) -> Int {
        guard let file = file(number, .connect), let end = file.end,
            let address = unsafe SocketAddress(raw: address, length: length)
        else { return -Int(EINVAL) }
        return connect(file, end, to: address)
    }

    package func shutdownWriting(_ number: Int32) -> Int {
        guard let file = file(number, .shutdown), let end = file.end else { return -Int(EBADF) }
        run.note(.shutdown, Int(number))
        guard end.phase == .connected else { return refused(file, .shutdown, ENOTCONN) }
        network.endWriting(end)
        return 0
    }

    package func shutdownReading(_ number: Int32) -> Int {
        guard let file = file(number, .shutdown) else { return -Int(EBADF) }
        file.listener?.refusesNew = true
        return 0
    }

    package func dropNewConnections(_ number: Int32) -> Int {
        guard let file = file(number, .setsockopt) else { return -Int(EBADF) }
        if run.strikes(.noBuffers) { return refused(file, .setsockopt, ENOBUFS) }
        file.listener?.dropsNew = true
        return 0
    }

    package func localAddress(
        _ number: Int32, _ address: UnsafeMutableRawPointer, _ length: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let file = file(number, .getsockname), let end = file.end else { return -Int(EBADF) }
        return unsafe put(end.local, address, length)
    }

    package func setOption(_ number: Int32, level: Int32, name: Int32, value: Int32) -> Int {
        guard let file = file(number, .setsockopt) else { return -Int(EBADF) }
        if run.strikes(.noBuffers) { return refused(file, .setsockopt, ENOBUFS) }
        file.end?.keepalive.set(level: level, name: name, to: value)
        if level == SOL_SOCKET && name == SO_REUSEPORT { file.end?.reusesPort = value != 0 }
        return 0
    }

    package func sendProgress(_ number: Int32, _ progress: inout SendProgress) -> Int {
        guard let file = file(number, .getsockopt), let end = file.end else { return -Int(EBADF) }
        progress = network.progress(of: end)
        return 0
    }

    package func setLingerZero(_ number: Int32) -> Int {
        guard let file = file(number, .setsockopt) else { return -Int(EBADF) }
        file.lingersZero = true
        return 0
    }

    package func socketError(_ number: Int32, _ error: UnsafeMutablePointer<Int32>) -> Int {
        guard let file = file(number, .getsockopt), let end = file.end else { return -Int(EBADF) }
        file.isUsed()
        unsafe error.pointee = end.takeError()
        // The library reports it as the refusal of what it was about to do.
        if unsafe error.pointee != 0 {
            for call in [SystemError.Call.recv, .connect] {
                unsafe end.refusals.append(SystemError(call, code: error.pointee))
            }
            end.observer?.wasRefused()
        }
        return 0
    }

    // MARK: Bytes

    package func receive(_ number: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        guard let file = file(number, .recv) else { return -Int(EBADF) }
        return unsafe receive(file, UnsafeMutableRawBufferPointer(start: bytes, count: count), nil)
    }

    package func receive(
        _ number: Int32, _ first: UnsafeMutableRawBufferPointer,
        _ second: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard let file = file(number, .recv) else { return -Int(EBADF) }
        return unsafe receive(file, first, second)
    }

    package func send(_ number: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        guard let file = file(number, .send) else { return -Int(EBADF) }
        return unsafe send(file, [UnsafeRawBufferPointer(start: bytes, count: count)])
    }

    package func send(
        _ number: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        _ third: UnsafeRawBufferPointer
    ) -> Int {
        guard let file = file(number, .send) else { return -Int(EBADF) }
        return unsafe send(file, [first, second, third])
    }

    package func unlink(_ path: String) -> Int {
        pass()
        return network.files.removeValue(forKey: path) == nil ? -Int(ENOENT) : 0
    }

    package func socketFile(_ path: String) -> SocketFile? {
        pass()
        return network.files[path].map { SocketFile(device: 1, inode: $0) }
    }
}
