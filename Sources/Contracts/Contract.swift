import Bytes
import Documents
import JSON

/// What the gateway promises about one operation: the unit that policies permit, limits count and the audit names.
package struct Contract: Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// Changes nothing, needs no `Idempotency-Key`, is audited when it is over.
        case read
        /// Changes something in Odoo: needs an `Idempotency-Key` and an entry in the audit log before it begins.
        case write
        /// Done by the gateway itself, without Odoo: a question to the policy, a second person's consent. Done twice it
        /// is done once, so it needs no key.
        case gateway
    }

    /// Who waits for whom when Odoo is busy.
    package enum Admission: String, CaseIterable, Sendable {
        /// A person or a machine stands still until it is answered.
        case realtime
        case standard
        /// May wait for everything else.
        case batch
    }

    /// What the integration user must be allowed to do in Odoo.
    package struct OdooRight: Hashable, Sendable {
        package let model: String
        /// Of `read`, `create`, `write`, `unlink`.
        package let rights: [String]
    }

    /// `production-order.confirm`: noun, point, verb.
    package let operation: String
    package let title: String
    /// CommonMark.
    package let description: String
    package let kind: Kind
    package let admission: Admission
    /// From the request's end to the answer's beginning. Calls to Odoo that may still run then are settled later.
    package let deadline: Nanoseconds
    /// What is known of the resource when the policy decides, in the words of rules: `site`, `work_center`, `warehouse`,
    /// `product_category`. Default site and warehouse.
    package let resource: [String]
    /// Roles that usually may call it: a hint for people who write policies; permits nothing.
    package let roles: [String]
    /// How it is made sure that the effect happens once. Empty for reads.
    package let idempotency: String
    /// How an unknown outcome is settled; of every write, and of nothing else.
    package let settling: Settling?
    /// Names of the events that a success becomes, `production-order.created`. Empty for reads.
    package let events: [String]
    package let odoo: [OdooRight]
    /// How old the answer to a read may be; nil where Odoo is asked each time.
    package let freshness: Nanoseconds?
    /// Models whose records a write changes besides those that it has rights to, by what Odoo does on its own. Nil where
    /// the contract does not say: then every model counts as changed.
    package let touches: [String]?
    /// The problems that are its own, besides those that every operation may answer.
    package let errors: [ProblemType]
    package let endpoints: [Endpoint]
    /// How it is done, where no service in code does it: a site's own.
    package let recipe: SiteRecipe?
    /// The file it came from.
    package let file: String

    /// Every model whose records a write may change; nil where that is not known.
    package var touched: [String]? {
        guard let touches else { return nil }
        return touches + odoo.filter { $0.rights != ["read"] && !touches.contains($0.model) }.map(\.model)
    }

    package subscript(endpoint name: String) -> Endpoint? { endpoints.first { $0.name == name } }

    /// Every problem it may answer, in the order of their status.
    package var problems: [ProblemType] {
        var all: Set<ProblemType> = [
            .malformedRequest, .invalidInput, .unauthenticated, .freshTokenRequired, .forbidden,
            .clientCertificateRequired, .quotaExceeded, .internal, .badGateway,
            .odooUnavailable, .overloaded, .unavailable, .upstreamTimeout,
        ]
        if kind == .write {
            all.formUnion([
                .idempotencyKeyRequired, .idempotencyInFlight, .idempotencyKeyReused, .payloadTooLarge,
                .unsupportedMediaType, .auditUnavailable, .outcomeUnknown, .approvalRequired,
            ])
        }
        all.formUnion(errors)
        return ProblemType.allCases.filter { all.contains($0) }
    }
}

/// One method on one path.
package struct Endpoint: Sendable {
    package enum Method: String, CaseIterable, Sendable {
        case get = "GET"
        case post = "POST"
    }

    /// A parameter in the path or the query.
    package struct Parameter: Sendable {
        package let name: String
        package let description: String
        package let isRequired: Bool
        /// Of a scalar type, or an array of scalars written with commas.
        package let schema: Schema
    }

    package struct Example: Sendable {
        package let summary: String
        package let path: JSONObject
        package let query: JSONObject
        /// Nil where the endpoint takes none.
        package let body: JSONValue?
        package let response: JSONValue
    }

    package static let json = "application/json"
    package static let mediaTypes = [json, "application/x-ndjson"]

    /// Unique within the operation: `list`, `one`, `create`.
    package let name: String
    package let method: Method
    package let path: PathTemplate
    package let summary: String
    package let pathParameters: [Parameter]
    package let queryParameters: [Parameter]
    /// The schema of the body; nil where there is none.
    package let body: Schema?
    package let isBodyRequired: Bool
    /// Of the body: JSON, or lines of it (`application/x-ndjson`), each of which the schema describes.
    package let bodyMediaType: String
    /// Status of success: 200 to 202.
    package let status: Int
    /// Of the answer, likewise.
    package let mediaType: String
    /// The schema of the answer.
    package let output: Schema
    package let examples: [Example]
}
