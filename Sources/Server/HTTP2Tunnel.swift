import Bytes
import HTTP
import Reactor

/// One stream of HTTP/2 as the end of a tunnel: WebSocket over extended CONNECT. (RFC 8441)
extension HTTP2Exchange: TunnelEnd {
    public var isReadable: Bool { held != nil || (stream.requestEnded && !tunnelSaidEnd) }

    public var isWritable: Bool {
        guard let connection, response == .complete, !stream.responseEnded else { return false }
        return (stream.waiting?.count ?? 0) < connection.server.configuration.sendBufferBytesMax
    }

    public func receive(into buffer: IOBuffer) -> SocketStream.Received {
        guard let held else {
            guard stream.requestEnded, !tunnelSaidEnd else { return .nothing }
            tunnelSaidEnd = true
            return .end
        }
        let count = min(held.count, buffer.freeAtEnd)
        buffer.append(from: held, offset: 0, count: count)
        held.consume(count)
        connection?.session.consume(stream, count)
        connection?.noteOutput()
        requestBodyBytes += Int64(count)
        if held.isEmpty {
            reactor.buffers.give(held)
            self.held = nil
        }
        return .bytes(count)
    }

    public func send(_ buffer: IOBuffer) -> SocketStream.Sent {
        guard let connection, !stream.responseEnded else { return .failed }
        responseBodyBytes += Int64(buffer.count)
        give(buffer, offset: 0, count: buffer.count, to: connection)
        buffer.clear()
        return .all
    }

    public func finishSending() {
        guard let connection, !stream.responseEnded else { return }
        stream.endResponse()
        connection.session.resume(stream)
        connection.noteOutput()
    }

    public func closeStream(abruptly: Bool) {
        guard let connection else { return }
        if abruptly {
            connection.session.reset(stream, .cancel)
            connection.noteOutput()
        } else {
            finishSending()
        }
    }

    public func setDeadline(_ at: MonotonicInstant) { tunnelDeadline = at }

    public func takeTunnelInput() -> IOBuffer {
        guard let held else { return IOBuffer(capacity: 16_384) }
        self.held = nil
        connection?.session.consume(stream, held.count)
        return held
    }

    public func setTunnel(_ tunnel: Tunnel?) { self.tunnel = tunnel }
}
