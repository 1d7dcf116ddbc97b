import Contracts
import JSON
import Policy
import Store

/// What a governed call is answered, and what the audit log is to know of it.
package struct ServiceAnswer: Sendable {
    package enum Outcome: String, Sendable {
        /// A read was answered.
        case read
        /// A write was done.
        case applied
        /// A write was refused by Odoo, the record's state or the lack of Odoo: nothing was changed.
        case rejected
        /// Sent, and nobody can say whether it was done.
        case unknown
        /// Refused before it began: the contract, the policy, the idempotency key.
        case refused
        /// Stored, and goes on without the request.
        case accepted
        /// An earlier answer again.
        case replayed
    }

    package var status: Int
    package var contentType: String
    /// Besides `Content-Type`.
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]
    /// `mrp.production,17`: read or changed.
    package var records: [String] = []
    package var outcome: Outcome
    package var resource: Resource?
    package var decision: Decision?
    package var operationID: String?
    /// For the audit log, in a person's words.
    package var detail: String?
    /// The request's input, once it was read.
    package var input: JSONObject?

    package init(_ outcome: Outcome, status: Int, json: JSONValue, fields: [(name: String, value: String)] = []) {
        self.outcome = outcome
        self.status = status
        contentType = "application/json"
        self.fields = fields
        body = json.bytes
    }

    package init(_ outcome: Outcome, _ problem: Problem) {
        self.outcome = outcome
        status = problem.status
        contentType = Problem.mediaType
        fields = problem.fields
        body = problem.bytes
    }

    /// The answer of an earlier request. What stood in fields is told again from the body.
    init(_ outcome: Outcome, stored: StoredAnswer, of record: OperationRecord) {
        self.outcome = outcome
        status = stored.status
        contentType = stored.contentType
        body = stored.body
        fields = []
        if status == 201, let location = Self.location(of: record.records) { fields.append(("Location", location)) }
        if status >= 400, let wait = (try? JSONValue.parse(stored.body))?["retry_after"]?.int {
            fields.append(("Retry-After", String(wait)))
        }
        records = record.records
        operationID = record.id
    }

    /// Where a created record is read.
    static func location(of records: [String]) -> String? {
        guard let parts = records.first?.split(separator: ","), parts.count == 2, parts[0] == "mrp.production" else {
            return nil
        }
        return "/v1/production-orders/\(parts[1])"
    }

    /// Where an operation is read.
    package static func address(ofOperation id: String) -> String { "/v1/operations/\(id)" }

    var stored: StoredAnswer { StoredAnswer(status: status, contentType: contentType, body: body) }
}
