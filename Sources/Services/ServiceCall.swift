import Bytes
import Contracts
import Events
import Limits
import Policy

/// A governed call, as the gateway hands it over: routed, identified, limited, and permitted for at least something.
package struct ServiceCall: Sendable {
    package var contract: Contract
    package var endpoint: Endpoint
    /// The raw segments of the path's parameters, as `ContractSet.route` found them.
    package var captures: [String]
    /// Behind the `?`, raw; nil or empty for none.
    package var query: String?
    package var body: [UInt8]
    package var contentType: String?
    /// `issuer|subject`.
    package var caller: String
    /// The policy's decision for this caller and this operation. Must stay valid as long as an operation may run on
    /// after its request (`Prefer: respond-async`).
    package var authorize: @Sendable (Resource) -> Decision
    /// Makes `authorize` once the input is read; nil where decisions do not depend on it.
    package var bind: (@Sendable (EndpointInput) -> @Sendable (Resource) -> Decision)?
    /// What the policy tells apart inside a site, and what is as every other: work centers and product categories. Nil
    /// for too many to be asked for.
    package var inside: [Resource]? = [Resource()]
    /// The policy decides by the product's category.
    package var needsProductCategory = false
    /// The policy as a whole, for who asks it about others.
    package var policy: PolicySet?
    /// What events there are, for who posts some.
    package var catalogue: EventCatalogue?
    /// Names of the caller's roles.
    package var roles: [String] = []
    /// Whether the policy may ask for a second person's consent.
    package var mayNeedApproval = false
    /// The same for another operation: whether the caller may receive an event. Nil permits nothing.
    package var permits: (@Sendable (String, Resource) -> Decision)?
    /// The field as it came.
    package var idempotencyKey: String?
    /// The field as it came. (RFC 9110 §13.1.2)
    package var ifNoneMatch: String?
    /// The field as it came. (RFC 9111 §5.2.1)
    package var cacheControl: String?
    /// The lines that were brought, for `batch.submit`.
    package var batch: ReceivedBatch?
    /// `Prefer: respond-async`. (RFC 7240 §4.1)
    package var prefersAsync: Bool
    /// How long an asynchronous answer waits for the outcome, `Prefer: wait`; 0 for not at all. (RFC 7240 §4.3)
    package var waitMax: Nanoseconds
    package var requestID: String
    package var traceID: String
    /// Nil for the contract's.
    package var admission: AdmissionClass?
    /// Nil for the contract's, from now.
    package var deadline: MonotonicInstant?
    package var world: ServiceWorld
    package var audit: any AuditPort

    package init(
        contract: Contract, endpoint: Endpoint, captures: [String] = [], query: String? = nil, body: [UInt8] = [],
        contentType: String? = nil, caller: String, authorize: @escaping @Sendable (Resource) -> Decision,
        permits: (@Sendable (String, Resource) -> Decision)? = nil,
        idempotencyKey: String? = nil, prefersAsync: Bool = false, waitMax: Nanoseconds = 0, requestID: String,
        traceID: String, admission: AdmissionClass? = nil, deadline: MonotonicInstant? = nil, world: ServiceWorld,
        audit: any AuditPort
    ) {
        self.contract = contract
        self.endpoint = endpoint
        self.captures = captures
        self.query = query
        self.body = body
        self.contentType = contentType
        self.caller = caller
        self.authorize = authorize
        self.permits = permits
        self.idempotencyKey = idempotencyKey
        self.prefersAsync = prefersAsync
        self.waitMax = waitMax
        self.requestID = requestID
        self.traceID = traceID
        self.admission = admission
        self.deadline = deadline
        self.world = world
        self.audit = audit
    }
}

extension Contract.Admission {
    /// The class in the queue of the upstream.
    package var admissionClass: AdmissionClass {
        switch self {
        case .realtime: .realtime
        case .standard: .standard
        case .batch: .batch
        }
    }
}
