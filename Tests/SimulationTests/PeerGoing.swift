// How the far side of a connection goes: it finishes, resets, is cut short, or stays.
import TronTestKit

@testable import Tron

extension Peer {
    /// It has nothing more to say of its own.
    func finish() {
        if end.isUnix && run.chance.hits(300) { return endWriting(shutsDown: true) }
        switch character.ending {
        case .stays: break
        case .resets: leave(resets: true)
        case .finishes: leave()
        case .finishesAndListens: endWriting()
        case .truncates:
            let wire = WirePacket.wireBytes(-1, 88, [1, 2, 3, 4])
            let cut = Array(wire.prefix(run.chance.between(1, wire.count - 1)))
            end.log.appendMalformed(cut, .truncated)
            pending.append(cut)
            isCut = true
            endWriting()
        }
    }

    /// FIN, as soon as everything is with the socket.
    func endWriting(shutsDown: Bool = false) {
        guard !isGone, !end.writingEnded else { return }
        push()
        guard pending.isEmpty else {
            return network.after(1_000_000 + end.latency) {
                if self.end.phase == .connected { self.endWriting(shutsDown: shutsDown) }
            }
        }
        run.note(.peerEnds, end.serial, shutsDown ? 4 : 1)
        guard shutsDown else { return network.endWriting(end) }
        // It neither reads nor goes for a while.
        character.reading = .never
        network.shutDown(end)
        network.after(run.chance.time(upToMilliseconds: run.chance.pick(20, 3000))) { self.leave() }
    }

    /// The library has ended its stream: most peers do the same, some never.
    func streamEnded() {
        if character.ending == .stays && character.reading == .never { return }
        endWriting()
        if end.finArrived { leave() }
    }

    func leave(resets: Bool = false) {
        guard !isGone else { return }
        isGone = true
        run.note(.peerEnds, end.serial, resets ? 3 : 2)
        network.close(end, resets: resets)
    }
}
