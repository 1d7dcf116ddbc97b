import Bytes
import CSystem
import Glibc

/// Moves bytes from one socket to another inside the kernel, through a pipe (`splice(2)`). A large body costs half of what
/// it costs to copy it into user space and back.
///
/// One per reactor. The pipe is empty between calls: what the second socket does not take is read out of it into the
/// caller's buffer. So no body ever waits in it, one pipe is enough, and nothing in it can get mixed up.
final class Splicer {
    /// Most bytes that are moved at once, and thereby that a socket which takes none leaves over: the pipe's 64 pages. A MiB
    /// costs half of what it costs by 64 KiB, whose receiver is woken four times as often.
    static let bytesMax: Int32 = 262_144
    /// The same for a socket that has not just shown that it takes all it gets: those of a wide buffer.
    static let bytesMin: Int32 = 65_536

    private var output: Int32 = -1
    private var input: Int32 = -1
    /// Whether the kernel has not refused yet.
    private(set) var isSupported = true

    enum Moved {
        /// So many bytes left the first socket. Those that the second has not taken stand in the buffer.
        case bytes(Int, target: Target)
        case nothing
        case end
        case failed
        /// They must be read.
        case unavailable
    }

    enum Target {
        case writable
        case full
        case broken
    }

    deinit { close() }

    private func close() {
        if output >= 0 { SocketCalls.close(output) }
        if input >= 0 { SocketCalls.close(input) }
        output = -1
        input = -1
    }

    private func open() -> Bool {
        if output >= 0 { return true }
        var ends: (Int32, Int32) = (-1, -1)
        let isMade = withUnsafeMutablePointer(to: &ends) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { csystem_splice_pipe($0) == 0 }
        }
        guard isMade else { return false }
        (output, input) = ends
        return true
    }

    /// Moves up to `count` bytes, `bytesMax` at most; `rest` is empty, and gets what `target` does not take.
    func move(from source: Int32, to target: Int32, upTo count: Int, rest: IOBuffer) -> Moved {
        guard isSupported, open() else { return .unavailable }
        let n = splice(source, input, count)
        guard n > 0 else {
            if n == 0 { return .end }
            switch errno {
            case EAGAIN: return .nothing
            case EINVAL, ENOSYS:
                isSupported = false
                return .unavailable
            default: return .failed
            }
        }
        var left = n
        while left > 0 {
            let sent = splice(output, target, left)
            if sent <= 0 { break }
            left -= sent
        }
        if left == 0 { return .bytes(n, target: .writable) }
        var state = Target.broken
        switch errno {
        case EAGAIN: state = .full
        case EINVAL, ENOSYS:
            isSupported = false
            state = .writable
        default: break
        }
        guard drain(left, into: rest) else {
            close()
            return .bytes(n, target: .broken)
        }
        return .bytes(n, target: state)
    }

    /// Empties the pipe.
    private func drain(_ count: Int, into rest: IOBuffer) -> Bool {
        rest.makeRoom(count)
        var left = count
        while left > 0 {
            let n = rest.fill { read(output, $0.baseAddress, min($0.count, left)) }
            if n < 0 && errno == EINTR { continue }
            if n <= 0 { return false }
            left -= n
        }
        return true
    }

    private func splice(_ from: Int32, _ to: Int32, _ count: Int) -> Int {
        while true {
            let n = csystem_splice(from, to, count)
            if n >= 0 || errno != EINTR { return n }
        }
    }
}

extension SocketStream {
    /// How bytes were passed on.
    public struct Passed {
        /// How the reading side went. The bytes counted have left it.
        public let received: Received
        /// How many of them the target took; the rest stands in the buffer. Nil when the target is broken.
        public let sent: Int?
    }

    /// Passes up to `count` bytes to `target` without reading them; what it does not take is put into `rest`, which is
    /// empty. Nil where they must be read: through TLS, in the simulation, on kernels that refuse.
    public final func pass(upTo count: Int, to target: SocketStream, rest: IOBuffer) -> Passed? {
        guard layer == nil, target.layer == nil, rest.isEmpty else { return nil }
        let most = min(count, Int(target.passBytesMax))
        switch reactor.splicer.move(from: fd, to: target.fd, upTo: most, rest: rest) {
        case .bytes(let n, let state):
            // More for who takes all, so that a slow one has not much of it in memory.
            if state != .writable {
                target.passBytesMax = Splicer.bytesMin
            } else if n == most, target.passBytesMax < Splicer.bytesMax {
                target.passBytesMax *= 2
            }
            // Not drained by a short move: a pipe has places for pages, not for bytes.
            if state != .writable { target.isWritable = false }
            return Passed(received: .bytes(n), sent: state == .broken ? nil : n - rest.count)
        case .nothing:
            isReadable = false
            return Passed(received: .nothing, sent: 0)
        case .end:
            isReadable = false
            return Passed(received: .end, sent: 0)
        case .failed:
            isReadable = false
            return Passed(received: .failed, sent: 0)
        case .unavailable:
            return nil
        }
    }
}
