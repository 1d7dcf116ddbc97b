import Bytes
import HTTP
import Reactor

/// Large bodies, which go from one socket to the other without being read here. (`SocketStream.pass`)
extension UpstreamConnection {
    /// Sends bytes of the request's body straight from the client's stream, and says how its reading went; nil where they
    /// must be read and given to `sendBody`.
    package final func sendBody(from client: SocketStream, upTo count: Int) -> Received? {
        guard output.isEmpty, isWritable, state == .head || state == .body,
            let moved = client.pass(upTo: count, to: self, rest: output)
        else { return nil }
        guard case .bytes(let n) = moved.received else { return moved.received }
        passed += n
        if moved.sent == nil { failSending() }
        setDeadline(reactor.now + pool.configuration.responseTimeout)
        return moved.received
    }

    /// Lets the call take bytes of a large body straight from the socket; nil where they must be read.
    final func passBody() -> Received? {
        guard isBodyWide, state == .body, input.isEmpty, let call else { return nil }
        let left = bodyReader.lengthLeft
        guard left > 0, let received = call.answerBody(from: self, upTo: Int(clamping: left)) else { return nil }
        if case .bytes(let n) = received {
            passed += n
            bodyReader.skip(n)
        }
        return received
    }

    /// Whether the server has said nothing behind its answer: what it has must not become the answer to the next call.
    /// A body that was passed, or read by a full buffer, ends without a look at what follows it.
    final var isDrained: Bool {
        guard input.isEmpty else { return false }
        return !isReadable || receive(into: input) == .nothing
    }
}
