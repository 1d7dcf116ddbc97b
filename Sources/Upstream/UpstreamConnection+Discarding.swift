import Bytes
import HTTP
import Reactor

/// Answers that nobody waits for any more.
extension UpstreamConnection {
    /// Gives up a call whose client is gone.
    ///
    /// A server that has the whole request works on it whatever becomes of the connection; Odoo does not even notice. So a
    /// small answer that comes soon is read and thrown away: until then the call keeps its place in the gate, which counts
    /// work and not clients, and the connection serves the next call. Who asks and takes back without end (CVE-2023-44487)
    /// thereby has no more work done at once than who waits, and makes no connection anew for each request. What is not
    /// over within `discardTimeout` is broken off, as is any call whose request is not complete.
    package final func abandon() {
        guard let call, isRequestSent, !call.wantsUpgrade, pool.configuration.discardTimeout > 0 else {
            return cancel()
        }
        self.call = DiscardedCall(connection: self, method: call.method)
        let end = reactor.now + pool.configuration.discardTimeout
        discardUntil = end
        setDeadline(end)
        resumeAnswer()
    }

    private var isRequestSent: Bool { (state == .head || state == .body) && requestEnded && output.isEmpty }
}

/// Takes the place of a call whose client is gone.
private final class DiscardedCall: UpstreamCall {
    /// Bytes of an answer that are read for nobody. Making the connection anew costs less than more of them.
    private static let bytesMax = 65_536

    let method: Method
    private weak var connection: UpstreamConnection?
    private var bytes = 0

    init(connection: UpstreamConnection, method: Method) {
        self.connection = connection
        self.method = method
    }

    var wantsUpgrade: Bool { false }
    var canRepeat: Bool { false }

    func answerHead(_ head: MessageHead, _ bytes: Span<UInt8>) {
        if case .length(let count) = head.framing, count > Self.bytesMax { connection?.cancel() }
    }

    func answerBody(_ buffer: IOBuffer, offset: Int, count: Int) {
        bytes += count
        if bytes > Self.bytesMax { connection?.cancel() }
    }

    func connecting(_ connection: UpstreamConnection) {}
    func connected(_ connection: UpstreamConnection) {}
    func requestDrained() {}
    func answerEnded() {}
    func failed(_ failure: UpstreamFailure) {}
}
