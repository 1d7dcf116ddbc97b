import Bytes
import Reactor

/// Sends back what comes on an upgraded connection, byte for byte: enough to prove that a tunnel carries both ways.
enum WebSocketEcho {
    static func begin(_ end: any TunnelEnd) {
        let reactor = end.reactor
        do throws(ReactorError) {
            let (near, far) = try SocketStream.pair()
            _ = try Mirror(fd: far, reactor: reactor)
            _ = Tunnel(end, try PairEnd(fd: near, reactor: reactor), idleTimeout: .minutes(10)) { _, _ in }
        } catch {
            end.closeStream(abruptly: false)
        }
    }

    /// The tunnel's other end.
    private final class PairEnd: SocketStream, TunnelEnd {
        private var tunnel: Tunnel?
        func takeTunnelInput() -> IOBuffer { IOBuffer(capacity: 16_384) }
        func setTunnel(_ tunnel: Tunnel?) { self.tunnel = tunnel }

        override func ready(_ events: ReadyEvents) {
            note(events)
            tunnel?.pump()
        }

        override func timedOut() { tunnel?.timedOut() }
    }

    private final class Mirror: SocketStream {
        private let buffer = IOBuffer(capacity: 16_384)

        override func ready(_ events: ReadyEvents) {
            note(events)
            while true {
                if !buffer.isEmpty, isWritable, send(buffer) == .failed { return closeStream() }
                guard buffer.isEmpty, isReadable else { return }
                switch receive(into: buffer) {
                case .bytes: continue
                case .nothing: return
                case .end, .failed: return closeStream()
                }
            }
        }
    }
}
