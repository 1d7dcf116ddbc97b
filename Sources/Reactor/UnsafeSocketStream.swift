import Bytes

/// A connected byte stream, in cleartext or through TLS, on one reactor.
///
/// Readiness is remembered in flags, because epoll tells of it once: a stream stays readable until a read comes back
/// short or empty, and writable until a write does.
open class SocketStream: Descriptor {
    /// How a read ended.
    public enum Received: Equatable {
        case bytes(Int)
        /// Nothing now; readiness will be told.
        case nothing
        /// The peer has finished sending.
        case end
        /// The connection is broken.
        case failed
    }

    /// How a write ended.
    public enum Sent: Equatable {
        /// Everything was taken.
        case all
        /// The rest waits in the buffer; readiness will be told.
        case partly
        /// The connection is broken.
        case failed
    }

    /// Whether a read is worth trying.
    public final var isReadable = false
    /// Whether a write is worth trying.
    public final var isWritable = false
    private final var peerFinished = false
    /// Most bytes that are passed on to it at once (`pass`).
    final var passBytesMax = Splicer.bytesMin
    /// The TLS side, nil in cleartext.
    public final let tls: TLSSession?
    final let layer: StreamLayer?

    public init(fd: Int32, reactor: Reactor, tls: TLSSession? = nil) throws(ReactorError) {
        self.tls = tls
        layer = tls ?? reactor.network?.layer(of: fd)
        try super.init(fd: fd, reactor: reactor)
        layer?.attach(self)
    }

    /// Notes what epoll said. To be called first in `ready`.
    @inline(__always)
    public final func note(_ events: ReadyEvents) {
        if !events.isDisjoint(with: [.writable, .broken]) { isWritable = true }
        if !events.isDisjoint(with: [.peerFinished, .broken]) { peerFinished = true }
        if !events.isDisjoint(with: [.readable, .peerFinished, .broken]) {
            isReadable = true
            layer?.noteReadable(peerFinished: peerFinished)
        }
    }

    /// Reads once into the free end of `buffer`, which must have room.
    public final func receive(into buffer: IOBuffer) -> Received {
        if let layer { return receive(into: buffer, through: layer) }
        let room = buffer.freeAtEnd
        let n = buffer.fill { SocketCalls.receive(fd, $0) }
        if n > 0 {
            // A short read has emptied the socket, unless the end is still to be read.
            if n < room && !peerFinished { isReadable = false }
            return .bytes(n)
        }
        isReadable = false
        return n == 0 ? .end : n == -1 ? .nothing : .failed
    }

    private final func receive(into buffer: IOBuffer, through layer: StreamLayer) -> Received {
        let room = buffer.freeAtEnd
        let n = buffer.fill { layer.read($0) }
        if n > 0 {
            if n < room && layer.isDrainedByShortRead && !peerFinished { isReadable = false }
            return .bytes(n)
        }
        isReadable = false
        return n == 0 ? .end : n == -1 ? .nothing : .failed
    }

    /// Writes as much of `buffer` as the socket takes, and drops it from the buffer.
    public final func send(_ buffer: IOBuffer) -> Sent {
        while !buffer.isEmpty {
            let wanted = buffer.count
            let n = buffer.withReadable { bytes in
                if let layer { layer.write(bytes) } else { SocketCalls.send(fd, bytes) }
            }
            if n < 0 {
                isWritable = false
                return n == -1 ? .partly : .failed
            }
            buffer.consume(n)
            if n < wanted && tls == nil {
                isWritable = false
                return .partly
            }
        }
        return .all
    }

    /// Writes `buffer` and behind it `tail`, in one system call where that helps, and drops what was written from
    /// `buffer`. Returns how many bytes of the tail were written, or nil when the connection is broken.
    public final func send(_ buffer: IOBuffer, then tail: Span<UInt8>) -> Int? {
        tail.withUnsafeBufferPointer { send(buffer, then: UnsafeRawBufferPointer($0)) }
    }

    private final func send(_ buffer: IOBuffer, then tail: UnsafeRawBufferPointer) -> Int? {
        if layer != nil {
            if !buffer.isEmpty {
                switch send(buffer) {
                case .all: break
                case .partly: return 0
                case .failed: return nil
                }
            }
            return sendSlice(tail)
        }
        if buffer.isEmpty { return sendSlice(tail) }
        let head = buffer.count
        let n = buffer.withReadable { SocketCalls.send(fd, $0, tail) }
        if n < 0 {
            isWritable = false
            return n == -1 ? 0 : nil
        }
        buffer.consume(min(n, head))
        if n < head + tail.count { isWritable = false }
        return max(0, n - head)
    }

    private final func sendSlice(_ tail: UnsafeRawBufferPointer) -> Int? {
        var done = 0
        while done < tail.count {
            let slice = UnsafeRawBufferPointer(rebasing: tail[done...])
            let n = if let layer { layer.write(slice) } else { SocketCalls.send(fd, slice) }
            if n < 0 {
                isWritable = false
                return n == -1 ? done : nil
            }
            done += n
            if done < tail.count && tls == nil {
                isWritable = false
                return done
            }
        }
        return done
    }

    /// Tells the peer that nothing more will be sent.
    public final func finishSending() {
        if let layer { layer.finishSending(fd) } else { SocketCalls.shutdownWriting(fd) }
    }

    /// Closes; `abruptly` sends a reset, for a peer that shall not believe that a cut body was whole.
    public final func closeStream(abruptly: Bool = false) {
        guard isOpen else { return }
        if let layer {
            layer.close(fd, abruptly: abruptly)
        } else if abruptly {
            SocketCalls.resetOnClose(fd)
        }
        closeDescriptor()
    }

    /// How a connection attempt ended: nil when it stands, else errno.
    public final var connectError: Int32? {
        let code = layer?.pendingError(fd) ?? SocketCalls.pendingError(fd)
        return code == 0 ? nil : code
    }

    /// Begins a connection; the stream becomes writable when it stands or has failed.
    public static func beginConnect(_ address: SocketAddress) throws(ReactorError) -> Int32 {
        try SocketCalls.connect(address)
    }

    /// Two connected streams' descriptors on this machine.
    public static func pair() throws(ReactorError) -> (Int32, Int32) { try SocketCalls.pair() }
}
