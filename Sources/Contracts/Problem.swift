import Bytes
import JSON

/// A refusal, as `application/problem+json`. (RFC 9457)
package struct Problem: Error, Hashable, Sendable {
    package let type: ProblemType
    /// What happened this time, and what to do. Shown to callers: never a traceback, a path or a secret.
    package var detail: String?
    /// The request's id.
    package var instance: String?
    /// Members of that type, in their order.
    package var members: JSONObject
    /// Seconds until another try makes sense; `Retry-After` and the member `retry_after`.
    package var retryAfter: Int?
    /// The `WWW-Authenticate` of a 401 or 403. (RFC 6750 §3)
    package var challenge: String?
    /// The `Allow` of a 405.
    package var allow: [String] = []
    /// The `Sec-WebSocket-Version` that would have been understood. (RFC 6455 §4.4)
    package var webSocketVersion: Int?

    package static let mediaType = "application/problem+json"

    package init(
        _ type: ProblemType, _ detail: String? = nil, members: JSONObject = JSONObject(), retryAfter: Int? = nil
    ) {
        self.type = type
        self.detail = detail
        self.members = members
        self.retryAfter = retryAfter
    }

    package var status: Int { type.status }

    package var json: JSONValue {
        var object = JSONObject()
        object["type"] = .string(type.uri)
        object["title"] = .string(type.title)
        object["status"] = JSONValue(type.status)
        if let detail { object["detail"] = .string(detail) }
        if let instance { object["instance"] = .string(instance) }
        for (key, value) in members.members where object[key] == nil { object[key] = value }
        if let retryAfter { object["retry_after"] = JSONValue(retryAfter) }
        return .object(object)
    }

    /// The body.
    package var bytes: [UInt8] { json.bytes }

    /// Fields that belong to the answer besides `Content-Type`.
    package var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        if let retryAfter { fields.append(("Retry-After", String(max(0, retryAfter)))) }
        if let challenge { fields.append(("WWW-Authenticate", challenge)) }
        if let webSocketVersion { fields.append(("Sec-WebSocket-Version", String(webSocketVersion))) }
        if !allow.isEmpty { fields.append(("Allow", allow.joined(separator: ", "))) }
        return fields
    }
}

// MARK: - Problems with members of their own

extension Problem {
    /// Every violation of the contract at once.
    package static func invalidInput(_ violations: [Violation]) -> Problem {
        let count = violations.count
        let first = violations.first.map { "; the first: \($0)" } ?? ""
        return Problem(
            .invalidInput,
            count == 1 ? violations[0].description : "\(count) violations\(first)",
            members: ["violations": .array(violations.map(\.json))])
    }

    /// A body that is no JSON, or JSON that could mean two things.
    package static func invalidJSON(_ error: JSONError) -> Problem {
        invalidInput([
            Violation(pointer: error.pointer, "\(error.message), at line \(error.line), column \(error.column)")
        ])
    }

    package static func methodNotAllowed(allow: [String]) -> Problem {
        var problem = Problem(.methodNotAllowed, "use \(allow.joined(separator: " or "))")
        problem.allow = allow
        return problem
    }

    /// Odoo's refusal: its words to the user and the class of its exception.
    package static func odooRefused(message: String?, error: String) -> Problem {
        Problem(
            .odooRefused, message ?? "Odoo gave no reason that may be shown",
            members: error.isEmpty ? [:] : ["odoo_error": .string(error)])
    }

    /// The state a record is in, and those in which the operation would be possible.
    package static func conflictState(_ detail: String, state: String, allowed: [String]) -> Problem {
        Problem(
            .conflictState, detail,
            members: ["state": .string(state), "allowed_states": .array(allowed.map { .string($0) })])
    }

    /// `policy` names the violated limit. (draft-ietf-httpapi-ratelimit-headers §7.1)
    package static func quotaExceeded(policies: [String], retryAfter: Int) -> Problem {
        Problem(
            .quotaExceeded, "try again in \(retryAfter) s",
            members: ["violated-policies": .array(policies.map { .string($0) })], retryAfter: retryAfter)
    }

    /// The rule of the policy that said no; nil when none said yes.
    package static func forbidden(operation: String, rule: String?, reason: String) -> Problem {
        Problem(
            .forbidden, reason,
            members: ["operation": .string(operation), "rule": rule.map { .string($0) } ?? .null])
    }

    /// `operation` is the address to ask for the outcome, `/v1/operations/ID`.
    package static func outcomeUnknown(operation: String) -> Problem {
        Problem(
            .outcomeUnknown,
            "Odoo was asked and did not say whether it happened; ask `operation`, or repeat with the same key",
            members: ["operation": .string(operation)], retryAfter: 5)
    }

    /// The first call with the key is still running; `operation` is where its outcome will stand.
    package static func idempotencyInFlight(operation: String) -> Problem {
        Problem(
            .idempotencyInFlight, "the first request with this key is still running; ask `operation`",
            members: ["operation": .string(operation)], retryAfter: 1)
    }
}
