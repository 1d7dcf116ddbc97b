import Bytes

/// Two connections that pass raw bytes to each other after an upgrade (RFC 9110 §7.8), each direction through one
/// bounded buffer: a slow reader stops the writer.
public final class Tunnel {
    private let a: any TunnelEnd
    private let b: any TunnelEnd
    private let toA: IOBuffer
    private let toB: IOBuffer
    private var aFinished = false
    private var bFinished = false
    private let idleTimeout: Nanoseconds
    private let closed: (_ fromA: Int64, _ fromB: Int64) -> Void
    private var fromA: Int64 = 0
    private var fromB: Int64 = 0
    private var isClosed = false

    /// `closed` is called once, with the bytes that went each way.
    public init(
        _ a: any TunnelEnd, _ b: any TunnelEnd, idleTimeout: Nanoseconds, closed: @escaping (Int64, Int64) -> Void
    ) {
        self.a = a
        self.b = b
        self.idleTimeout = idleTimeout
        self.closed = closed
        toB = a.takeTunnelInput()
        toA = b.takeTunnelInput()
        fromA = Int64(toB.count)
        fromB = Int64(toA.count)
        a.setTunnel(self)
        b.setTunnel(self)
        pump()
    }

    /// Moves what can be moved. Called at each readiness of either side.
    public func pump() {
        if isClosed { return }
        guard move(from: a, to: b, through: toB, finished: &aFinished, counted: &fromA),
            move(from: b, to: a, through: toA, finished: &bFinished, counted: &fromB)
        else {
            close(abruptly: true)
            return
        }
        if aFinished && bFinished && toA.isEmpty && toB.isEmpty {
            close(abruptly: false)
            return
        }
        a.setDeadline(a.reactor.now + idleTimeout)
    }

    /// The deadline of either side passed: nothing moved for the idle time.
    public func timedOut() { close(abruptly: false) }

    /// One end is gone without a word.
    public func lost() { close(abruptly: true) }

    private func move(
        from source: any TunnelEnd, to target: any TunnelEnd, through buffer: IOBuffer, finished: inout Bool,
        counted: inout Int64
    ) -> Bool {
        while true {
            var progressed = false
            if !buffer.isEmpty && target.isWritable {
                let before = buffer.count
                if target.send(buffer) == .failed { return false }
                progressed = buffer.count < before
            }
            if !finished && source.isReadable && buffer.count < 16_384 {
                if buffer.isEmpty { buffer.clear() }
                buffer.makeRoom(16_384 - buffer.count)
                switch source.receive(into: buffer) {
                case .bytes(let n):
                    counted += Int64(n)
                    progressed = true
                case .nothing: break
                case .end:
                    finished = true
                    progressed = true
                case .failed: return false
                }
            }
            if finished && buffer.isEmpty && progressed { target.finishSending() }
            if !progressed { return true }
        }
    }

    private func close(abruptly: Bool) {
        if isClosed { return }
        isClosed = true
        a.setTunnel(nil)
        b.setTunnel(nil)
        a.closeStream(abruptly: abruptly)
        b.closeStream(abruptly: abruptly)
        closed(fromA, fromB)
    }
}

/// What can carry raw bytes after an upgrade: a whole connection (`SocketStream`), or one stream of HTTP/2.
public protocol TunnelEnd: AnyObject {
    var reactor: Reactor { get }
    /// Whether a read, or a write, is worth trying.
    var isReadable: Bool { get }
    var isWritable: Bool { get }
    func receive(into buffer: IOBuffer) -> SocketStream.Received
    func send(_ buffer: IOBuffer) -> SocketStream.Sent
    func finishSending()
    func closeStream(abruptly: Bool)
    /// When the end calls `Tunnel.timedOut`, unless it is moved.
    func setDeadline(_ at: MonotonicInstant)
    /// Bytes that had been read before the hand-over.
    func takeTunnelInput() -> IOBuffer
    /// From now on readiness goes to `tunnel`; nil when the tunnel has closed.
    func setTunnel(_ tunnel: Tunnel?)
}
