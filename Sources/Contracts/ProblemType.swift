/// Every kind of refusal the gateway answers: a closed catalogue, explained to callers in docs/ERRORS.md.
///
/// The raw value is the end of the type's URI and never changes once released.
package enum ProblemType: String, CaseIterable, Sendable, Hashable {
    /// The request is no well-formed HTTP, or its target or a field cannot be read.
    case malformedRequest = "malformed-request"
    /// Parameters or body violate the contract; `violations` lists all of it.
    case invalidInput = "invalid-input"
    /// A write came without `Idempotency-Key`.
    case idempotencyKeyRequired = "idempotency-key-required"
    /// No token, or one that is not accepted.
    case unauthenticated
    /// The caller signed in too long ago for this.
    case freshTokenRequired = "fresh-token-required"
    /// Known, and not permitted.
    case forbidden
    /// Allowed on a connection with a client certificate only.
    case clientCertificateRequired = "client-certificate-required"
    /// Somebody else must agree first; `approval` is the address at which they do.
    case approvalRequired = "approval-required"
    /// No such resource, or none that this caller may know of.
    case notFound = "not-found"
    case methodNotAllowed = "method-not-allowed"
    /// The client accepts no representation that there is.
    case notAcceptable = "not-acceptable"
    case requestTimeout = "request-timeout"
    /// The first call with this `Idempotency-Key` is still running.
    case idempotencyInFlight = "idempotency-in-flight"
    /// The record is in a state in which this cannot be done.
    case conflictState = "conflict-state"
    /// What the cursor points behind is not kept any more.
    case cursorExpired = "cursor-expired"
    case payloadTooLarge = "payload-too-large"
    case targetTooLong = "target-too-long"
    case unsupportedMediaType = "unsupported-media-type"
    case expectationFailed = "expectation-failed"
    /// The `Idempotency-Key` was used for another request.
    case idempotencyKeyReused = "idempotency-key-reused"
    /// Odoo refused for a reason of business.
    case odooRefused = "odoo-refused"
    case quotaExceeded = "quota-exceeded"
    case headersTooLarge = "headers-too-large"
    case `internal`
    case notImplemented = "not-implemented"
    /// Odoo answered something that makes no sense.
    case badGateway = "bad-gateway"
    /// Odoo is away.
    case odooUnavailable = "odoo-unavailable"
    /// The gateway has too much to do.
    case overloaded
    /// The audit log or the ledger cannot take an entry, so nothing may be changed.
    case auditUnavailable = "audit-unavailable"
    /// The gateway is stopping or starting.
    case unavailable
    /// Odoo did not answer a read in time.
    case upstreamTimeout = "upstream-timeout"
    /// A write was sent and nobody knows yet whether it took effect.
    case outcomeUnknown = "outcome-unknown"
    case versionNotSupported = "version-not-supported"

    /// Where our types live.
    package static let base = "https://millgate.dev/problems/"

    /// `type`: an address that identifies the kind; nobody needs to open it.
    package var uri: String {
        switch self {
        // Registered with IANA by draft-ietf-httpapi-ratelimit-headers §7.
        case .quotaExceeded: "https://iana.org/assignments/http-problem-types#quota-exceeded"
        default: Self.base + rawValue
        }
    }

    package init?(uri: String) {
        guard let type = Self.allCases.first(where: { $0.uri == uri }) else { return nil }
        self = type
    }

    /// `status`: the HTTP status it is answered with.
    package var status: Int {
        switch self {
        case .malformedRequest, .invalidInput, .idempotencyKeyRequired: 400
        case .unauthenticated, .freshTokenRequired: 401
        case .forbidden, .clientCertificateRequired, .approvalRequired: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .requestTimeout: 408
        case .idempotencyInFlight, .conflictState: 409
        case .cursorExpired: 410
        case .payloadTooLarge: 413
        case .targetTooLong: 414
        case .unsupportedMediaType: 415
        case .expectationFailed: 417
        case .idempotencyKeyReused, .odooRefused: 422
        case .quotaExceeded: 429
        case .headersTooLarge: 431
        case .internal: 500
        case .notImplemented: 501
        case .badGateway: 502
        case .odooUnavailable, .overloaded, .auditUnavailable, .unavailable: 503
        case .upstreamTimeout, .outcomeUnknown: 504
        case .versionNotSupported: 505
        }
    }

    /// `title`: the same for every problem of the kind.
    package var title: String {
        switch self {
        case .malformedRequest: "The request is malformed"
        case .invalidInput: "The request violates the contract of the operation"
        case .idempotencyKeyRequired: "A write needs an Idempotency-Key"
        case .unauthenticated: "Authentication is required"
        case .freshTokenRequired: "A fresh token is required"
        case .forbidden: "Not permitted"
        case .clientCertificateRequired: "A client certificate is required"
        case .approvalRequired: "A second person must approve"
        case .notFound: "Not found"
        case .methodNotAllowed: "The resource has no such method"
        case .notAcceptable: "No acceptable representation"
        case .requestTimeout: "The request came too slowly"
        case .idempotencyInFlight: "The same request is still running"
        case .conflictState: "The record's state does not allow this"
        case .cursorExpired: "The log does not reach back to the cursor"
        case .payloadTooLarge: "The body is too large"
        case .targetTooLong: "The request target is too long"
        case .unsupportedMediaType: "The body's media type is not supported"
        case .expectationFailed: "The expectation cannot be met"
        case .idempotencyKeyReused: "The Idempotency-Key belongs to another request"
        case .odooRefused: "Odoo refused"
        case .quotaExceeded: "A limit is exceeded"
        case .headersTooLarge: "The header fields are too large"
        case .internal: "The gateway failed"
        case .notImplemented: "Not implemented"
        case .badGateway: "Odoo's answer makes no sense"
        case .odooUnavailable: "Odoo is not available"
        case .overloaded: "The gateway has too much to do"
        case .auditUnavailable: "Nothing can be recorded, so nothing may be changed"
        case .unavailable: "The gateway is not ready"
        case .upstreamTimeout: "Odoo did not answer in time"
        case .outcomeUnknown: "The outcome is not known yet"
        case .versionNotSupported: "The HTTP version is not supported"
        }
    }

    /// Whether the same request may be sent again, later, without a change.
    package var isTransient: Bool {
        switch self {
        case .requestTimeout, .idempotencyInFlight, .quotaExceeded, .internal, .badGateway, .odooUnavailable,
            .overloaded, .auditUnavailable, .unavailable, .upstreamTimeout, .outcomeUnknown:
            true
        default: false
        }
    }
}
