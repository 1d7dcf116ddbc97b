import Bytes
import Contracts
import HTTP
import Identity
import Limits
import Policy
import Server
import Upstream

/// Every reason why a request is not carried out. The one place where refusals become responses.
enum Refusal {
    /// What came is not HTTP, or too much or too slow.
    case malformed(HTTPError)
    /// The path could be read in two ways.
    case ambiguousPath
    /// No route has this path, or it is closed: from outside the two look the same.
    case notFound
    /// The route does not take this method.
    case methodNotAllowed([String])
    /// CONNECT and methods that nobody knows.
    case methodUnknown
    /// The route needs a caller: no token, or one that does not verify.
    case unauthenticated(TokenError?)
    /// The caller is known and may not.
    case forbidden(operation: String, Decision)
    case limited(policies: [String], retryAfter: Nanoseconds)
    /// The audit log cannot take another entry.
    case auditFull
    case bodyTooLarge
    case upstream(UpstreamFailure)
    /// The server behind answered with an error page of its own, which is not shown.
    case upstreamError(status: Int)
    case upgradeRefused
    /// A WebSocket handshake of another version than 13. (RFC 6455 §4.4)
    case upgradeVersion
    /// A problem that a room below has put into words.
    case problem(Problem)

    func problem(realm: String) -> Problem {
        switch self {
        case .malformed(let error): return Problem(Self.type(ofStatus: error.status), error.detail)
        case .ambiguousPath:
            return Problem(.malformedRequest, "the path holds encoded separators, dot segments or control characters")
        case .notFound: return Problem(.notFound, "nothing is served at this path")
        case .methodNotAllowed(let methods): return .methodNotAllowed(allow: methods)
        case .methodUnknown: return Problem(.notImplemented, "this method is not understood")
        case .unauthenticated(let error): return Self.unauthenticated(error, realm: realm)
        case .forbidden(let operation, let decision):
            return decision.problem(operation: operation)
        case .limited(let policies, let wait):
            return .quotaExceeded(policies: policies, retryAfter: RetryAfter.seconds(wait))
        case .auditFull:
            return Problem(.auditUnavailable, "the audit log cannot take an entry; nothing was done", retryAfter: 5)
        case .bodyTooLarge: return Problem(.payloadTooLarge, "the body is larger than this route takes")
        case .upstream(let failure): return Self.upstream(failure)
        case .upstreamError(let status):
            return status == 404
                ? Problem(.notFound, "nothing is served at this path")
                : Problem(.badGateway, "the server behind this gateway failed with status \(status)")
        case .upgradeRefused: return Problem(.malformedRequest, "this is no WebSocket handshake (RFC 6455 §4.2.1)")
        case .upgradeVersion:
            var problem = Problem(.malformedRequest, "only version 13 of the WebSocket protocol is spoken here")
            problem.webSocketVersion = 13
            return problem
        case .problem(let problem): return problem
        }
    }

    private static func type(ofStatus status: Int) -> ProblemType {
        switch status {
        case 408: .requestTimeout
        case 413: .payloadTooLarge
        case 414: .targetTooLong
        case 417: .expectationFailed
        case 431: .headersTooLarge
        case 501: .notImplemented
        case 505: .versionNotSupported
        default: .malformedRequest
        }
    }

    /// RFC 6750 §3: without a token the challenge names no error.
    private static func unauthenticated(_ error: TokenError?, realm: String) -> Problem {
        guard let error else {
            var problem = Problem(.unauthenticated, "send a token: `Authorization: Bearer …`")
            problem.challenge = "Bearer realm=\"\(realm)\""
            return problem
        }
        if error == .keysUnavailable { return Problem(.unavailable, error.description, retryAfter: 1) }
        var problem = Problem(error.status == 403 ? .forbidden : .unauthenticated, error.description)
        problem.challenge =
            "Bearer realm=\"\(realm)\", error=\"\(error.rfc6750Code)\", error_description=\"\(error.description)\""
        return problem
    }

    private static func upstream(_ failure: UpstreamFailure) -> Problem {
        switch failure {
        case .connect, .connectTimeout, .tls:
            Problem(.unavailable, "the server behind this gateway cannot be reached", retryAfter: 5)
        case .circuitOpen(let wait):
            Problem(
                .unavailable, "the server behind this gateway failed too often and is left alone for a while",
                retryAfter: max(1, RetryAfter.seconds(wait)))
        case .overloaded(let wait):
            Problem(
                .overloaded, "too many requests wait for the server behind this gateway",
                retryAfter: max(1, RetryAfter.seconds(wait)))
        case .waitedTooLong:
            Problem(.overloaded, "the request waited too long for its turn; it was not sent", retryAfter: 5)
        case .closedWithoutAnswer, .torn, .malformed, .tooLarge, .cancelled:
            Problem(.badGateway, "the server behind this gateway gave no valid answer")
        case .heldUp:
            Problem(.requestTimeout, "the request came too slowly while others waited for its place at the server")
        case .timeout: Problem(.upstreamTimeout, "the server behind this gateway did not answer in time")
        }
    }
}
