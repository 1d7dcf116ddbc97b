import Bytes
import Contracts
import JSON
import Odoo
import Policy

/// A governed read: what to ask Odoo, and how the answer looks.
protocol ReadService: Sendable {
    /// The contract it fulfils, `product.read`.
    var operation: String { get }
    /// Endpoints of the contract that it answers.
    var endpoints: Set<String> { get }
    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult
}

/// A read that satisfies its contract.
struct ReadRequest: Sendable {
    let call: ServiceCall
    let input: EndpointInput
    let sites: SiteMap
    let permissions: SitePermissions
    let ledger: any LedgerPort
    /// Nil where there are none.
    let batches: BatchRunner?
    /// Identical reads become one, and are held for as long as the contract calls them fresh.
    let reads: ReadScope

    var endpoint: String { call.endpoint.name }

    func session() async throws(ServiceStop) -> OdooSession {
        var session = try await OdooSession.open(
            call.world, admission: call.admission ?? call.contract.admission.admissionClass, deadline: call.deadline)
        session.reads = reads
        return session
    }

    /// A parameter of the path that the contract calls an integer.
    func id() throws(ServiceStop) -> Int {
        guard let id = input.path["id"]?.int else { throw .invalid(Violation(.path("id"), "is not an id")) }
        return id
    }

    func text(_ name: String) -> String? { input.query[name]?.string }
    func int(_ name: String) -> Int? { input.query[name]?.int }
    func flag(_ name: String) -> Bool { input.query[name]?.bool ?? false }

    /// How far before `changed_since` a record may have been changed to be answered still. Default 2 minutes: a
    /// record's `write_date` is when its transaction began, which may be seen as long after as Odoo lets a call run
    /// (`limit_time_real`, 120 s).
    static let changedOverlap: Nanoseconds = .seconds(120)

    /// The condition of `changed_since`.
    func changedSince() throws(ServiceStop) -> [JSONValue] {
        guard let text = text("changed_since") else { return [] }
        guard let since = WallInstant(text) else {
            throw .invalid(Violation(.query("changed_since"), "is no time such as 2026-11-25T06:00:00Z"))
        }
        return [["write_date", ">=", .string((since + -Self.changedOverlap).odoo)]]
    }

    /// Throws where the policy forbids it.
    func authorize(_ resource: Resource) throws(ServiceStop) -> Decision {
        let decision = call.authorize(resource)
        guard decision.isPermitted else { throw .forbidden(call.contract.operation, decision) }
        return decision
    }

    /// The sites a list is about: the one that was asked for, which must be permitted; nil for all that are.
    ///
    /// Throws also where nothing at all is permitted.
    func scope() throws(ServiceStop) -> (site: String?, resource: Resource, decision: Decision) {
        if let site = text("site") {
            let resource = Resource(site: site)
            return (site, resource, try authorize(resource))
        }
        let one = permissions.elsewhere ? nil : permissions.permitted.sorted().first
        let resource = Resource(site: one)
        return (nil, permissions.elsewhere ? resource : Resource(), try authorize(resource))
    }
}

struct ReadResult: Sendable {
    let json: JSONValue
    let records: [String]
    let resource: Resource
    /// Nil where another reason than a rule permits it.
    let decision: Decision?
    /// `applied` where something was changed in the gateway itself.
    var outcome = ServiceAnswer.Outcome.read
    /// For the audit log, in a person's words.
    var detail: String?
    /// Of the answer, besides what every answer has.
    var fields: [(name: String, value: String)] = []
    /// The answer as lines of JSON, in place of `json`.
    var lines: [UInt8]?
}
