import Bytes
import Limits
import Policy
import Store

/// An accepted write, ready to be carried out: by its request, beside it, or after a restart.
struct WriteJob: Sendable {
    enum Entry: Sendable {
        /// From the beginning: nothing was sent, or what was sent did certainly not happen.
        case perform
        /// Something may have been sent: find out first.
        case resume
    }

    var record: OperationRecord
    let request: AcceptedRequest
    let service: any WriteService
    let world: ServiceWorld
    let audit: any AuditPort
    /// The policy; nil after a restart.
    let authorize: (@Sendable (Resource) -> Decision)?
    /// The policy decides by the product's category.
    var needsProductCategory = false
    /// Whether the policy may ask for a second person's consent.
    var mayNeedApproval = false
    /// Models whose reads it makes unusable; nil for every model, as after a restart.
    var touched: [String]?
    /// Of the request that carries it out now.
    let requestID: String
    /// Nil where nobody waits.
    var deadline: MonotonicInstant?
    var entry: Entry
    /// Locks on the records, when they are held already.
    var ticket: RecordLocks.Ticket?

    /// Nothing is left to do unless it is found out what happened.
    static func entry(of record: OperationRecord) -> Entry { record.state == .accepted ? .perform : .resume }
}

extension WriteJob {
    func note(
        _ journal: OperationJournal, resource: Resource = Resource(), decision: Decision? = nil,
        adding records: [String] = []
    ) -> ServiceAuditNote {
        ServiceAuditNote(
            operation: request.operation, operationID: journal.id, caller: record.request.caller,
            requestID: requestID, traceID: record.request.traceID, resource: resource, decision: decision,
            records: journal.records + records.filter { !journal.records.contains($0) },
            digest: record.request.bodyDigest)
    }
}
