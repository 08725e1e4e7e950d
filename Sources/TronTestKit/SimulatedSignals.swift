// The signals of a run. The signal handler's table is the run's own: an eventfd is its place there.
import Glibc
import Tron

extension SimulatedKernel {
    package func takePlace(_ number: Int32) -> Int {
        guard file(number, .sigaction) != nil else { return -Int(EBADF) }
        if run.strikes(.processLimit) {
            run.met(.processLimit)
            return -Int(EUSERS)
        }
        return Int(number)
    }

    package func watch(_ place: Int32, _ number: Int32) -> Int {
        guard let file = file(place, .sigaction) else { return -Int(EBADF) }
        file.watchedSignals |= 1 << UInt64(number - 1)
        return 0
    }

    package func takeArrived(_ place: Int32) -> UInt64 {
        guard let file = file(place, .sigaction) else { return 0 }
        let arrived = file.arrivedSignals
        file.arrivedSignals = 0
        signalsTaken += arrived.nonzeroBitCount
        signalMayArrive(file)
        return arrived
    }

    package func stopWatching(_ place: Int32) { file(place, .sigaction)?.watchedSignals = 0 }

    package func givePlaceBack(_ place: Int32) {
        guard let file = file(place, .sigaction) else { return }
        file.watchedSignals = 0
        run.expect(file.arrivedSignals == 0, "the loop has ended over signals")
        file.arrivedSignals = 0
    }

    /// The handler interrupts the loop: it notes the signal first, then it writes the eventfd.
    package func raise(_ signal: Signal) {
        let bit: UInt64 = 1 << UInt64(signal.rawValue - 1)
        table.forEach { file in
            guard file.watchedSignals & bit != 0 else { return }
            file.arrivedSignals |= bit
            file.pending += 1
        }
    }

    /// Now, where the loop looks for signals, another one may arrive.
    package func signalMayArrive(_ file: OpenFile) {
        guard file.watchedSignals != 0, run.strikes(.interruption) else { return }
        run.met(.interruption)
        raise(.user1)
    }

    /// Before a wait: no signal has arrived that nothing will wake the loop for.
    package func checkSignals() {
        table.forEach { file in
            run.expect(
                file.arrivedSignals == 0 || file.pending > 0,
                "the loop sleeps over signals: \(String(file.arrivedSignals, radix: 2))")
        }
    }
}
