import Bytes
import HTTP
import Reactor

/// Why a call brought no whole answer, and thereby what is known of its effect.
package enum UpstreamFailure: Error, Equatable, Sendable {
    /// No connection could be made: nothing was sent, nothing can have happened. `code` is errno.
    case connect(code: Int32)
    /// No connection within the connect timeout: nothing was sent.
    case connectTimeout
    /// The TLS handshake failed: nothing was sent.
    case tls
    /// The circuit is open: nothing was sent. Seconds until it may be tried again.
    case circuitOpen(retryAfter: Nanoseconds)
    /// Too many wait for this server: nothing was sent.
    case overloaded(retryAfter: Nanoseconds)
    /// The call's deadline passed while it waited for its turn: nothing was sent.
    case waitedTooLong
    /// The connection closed without a byte of answer. If it had been idle before (`reused`), the server may have
    /// closed it while the request was under way.
    case closedWithoutAnswer(reused: Bool)
    /// The answer broke off.
    case torn
    /// The answer is not HTTP.
    case malformed(HTTPError)
    /// No answer within the response timeout.
    case timeout
    /// The client held the call up while others waited for its place.
    case heldUp
    /// The answer is larger than the caller wants.
    case tooLarge
    /// The caller gave up.
    case cancelled

    /// Whether it is certain that the server has received nothing of the request.
    package var nothingWasSent: Bool {
        switch self {
        case .connect, .connectTimeout, .tls, .circuitOpen, .overloaded, .waitedTooLong: true
        case .closedWithoutAnswer, .torn, .malformed, .timeout, .heldUp, .tooLarge, .cancelled: false
        }
    }
}

/// One request to a server and its answer, as the driver sees it. Methods are called on the pool's reactor, in order;
/// after `answerEnded` or `failed` nothing more is called.
package protocol UpstreamCall: AnyObject {
    /// What kind of call it is: decides how the answer's body is delimited and whether it may be repeated.
    var method: Method { get }
    /// Whether 101 may be answered.
    var wantsUpgrade: Bool { get }
    /// A connection for this call is being made; a call that gives up before `connected` cancels it. Without that it
    /// would be connected later, when the call may have become another one.
    func connecting(_ connection: UpstreamConnection)
    /// A connection stands: append the request to `connection.output`; called again with another connection if the
    /// first turned out dead before a byte was answered and the call may be repeated.
    func connected(_ connection: UpstreamConnection)
    /// Whether the request can be written once more from its beginning.
    var canRepeat: Bool { get }
    /// The final head of the answer; positions into `bytes`.
    func answerHead(_ head: MessageHead, _ bytes: Span<UInt8>)
    /// An interim answer other than 101; positions into `bytes`.
    func interim(_ head: MessageHead, _ bytes: Span<UInt8>)
    /// Body bytes of the answer, `count` of them in `buffer` from `offset`.
    func answerBody(_ buffer: IOBuffer, offset: Int, count: Int)
    /// Takes up to `count` body bytes of the answer straight from the connection, and says how its reading went; nil
    /// where they must be read and given to `answerBody`. Asked only of a call that takes wide reads.
    func answerBody(from connection: UpstreamConnection, upTo count: Int) -> SocketStream.Received?
    func answerEnded()
    /// The server has taken what waited in `output`.
    func requestDrained()
    func failed(_ failure: UpstreamFailure)
    /// Whether a body that comes fast may be read by 64 KiB instead of 16: the call may have to keep a whole read.
    var takesWideReads: Bool { get }
}

extension UpstreamCall {
    package var takesWideReads: Bool { false }
    package func answerBody(from connection: UpstreamConnection, upTo count: Int) -> SocketStream.Received? { nil }
    package func interim(_ head: MessageHead, _ bytes: Span<UInt8>) {}
}
