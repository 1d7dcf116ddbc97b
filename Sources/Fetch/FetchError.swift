/// What is known of a request that got no answer.
package enum FetchError: Error, Hashable, Sendable {
    /// The request was never begun: `reason` says what is wrong with it, without its values.
    case invalidRequest(reason: String)
    /// The scheme is not one that the client may use.
    case schemeRefused
    /// The host's name has no address.
    case nameNotResolved
    /// The guard refused every address that was tried; the last of them.
    case addressRefused(String)
    /// Nobody answered at any of the addresses.
    case connectFailed
    /// The proxy could not be reached, or refused.
    case proxyFailed
    /// The server's certificate does not verify, or is for another name.
    case certificateRefused
    /// The TLS handshake failed for another reason: no version in common, or our certificate is refused or wanted.
    case tlsFailed
    /// The client's own certificate, key or authorities cannot be used.
    case credentialsUnusable
    /// No connection in `connectTimeout`.
    case connectTimedOut
    /// No whole answer in `timeout`; the request may have been carried out.
    case timedOut
    /// The connection ended before the answer did; the request may have been carried out.
    case connectionLost
    /// What came is not HTTP, or its head is cut.
    case protocolViolated
    /// The answer's head is longer than allowed.
    case headTooLarge
    /// The task was cancelled.
    case cancelled
    /// As many requests as allowed are under way already.
    case tooManyRequests
    /// The client or its reactor has ended.
    case closed
    /// libcurl failed in a way that has no name here, such as lack of memory; its code.
    case failed(code: Int)

    /// Whether it is certain that the server got nothing to carry out.
    package var nothingWasSent: Bool {
        switch self {
        case .invalidRequest, .schemeRefused, .nameNotResolved, .addressRefused, .connectFailed, .proxyFailed,
            .certificateRefused, .tlsFailed, .credentialsUnusable, .connectTimedOut, .tooManyRequests:
            true
        case .timedOut, .connectionLost, .protocolViolated, .headTooLarge, .cancelled, .closed, .failed: false
        }
    }
}

extension FetchError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidRequest(let reason): "the request is not valid: \(reason)"
        case .schemeRefused: "the URL's scheme is not allowed"
        case .nameNotResolved: "the host's name cannot be resolved"
        case .addressRefused(let address): "the address \(address) is not allowed"
        case .connectFailed: "the connection was refused or found no way"
        case .proxyFailed: "the proxy cannot be reached or refused"
        case .certificateRefused: "the server's certificate does not verify"
        case .tlsFailed: "the TLS handshake failed"
        case .credentialsUnusable: "the client's own certificate, key or authorities cannot be used"
        case .connectTimedOut: "no connection in time"
        case .timedOut: "no answer in time"
        case .connectionLost: "the connection ended before the answer did"
        case .protocolViolated: "the answer is not valid HTTP"
        case .headTooLarge: "the head of the answer is too large"
        case .cancelled: "cancelled"
        case .tooManyRequests: "too many requests are under way"
        case .closed: "the client has ended"
        case .failed(let code): "libcurl failed with code \(code)"
        }
    }
}
