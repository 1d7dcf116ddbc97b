import Bytes
import Contracts
import JSON
import Odoo
import Policy
import Store

/// One try of a write, from its lock to its end: what a service works with.
final class WriteRun {
    let request: AcceptedRequest
    let odoo: OdooSession
    let sites: SiteMap
    let journal: OperationJournal

    private let job: WriteJob
    let ledger: any LedgerPort
    private(set) var resource = Resource()
    private(set) var decision: Decision?
    /// The consent of a second person, where one was asked for.
    var approval: ApprovalRecord?
    /// Whose consent is missing, and for what.
    var wanted: (persons: [Obligations.SecondPerson], resource: Resource)?
    private var isAudited = false

    /// Least time that must be left before an effect is sent: what Odoo may need when others work on the same rows
    /// (17 s in recordings 355 and 356), so that its answer is still heard.
    static let effectTimeMin: Nanoseconds = .seconds(20)

    init(_ job: WriteJob, odoo: OdooSession, sites: SiteMap, journal: OperationJournal, ledger: any LedgerPort) {
        self.job = job
        self.ledger = ledger
        self.odoo = odoo
        self.sites = sites
        self.journal = journal
        request = job.request
    }

    var operationID: String { journal.id }
    var record: NewOperation { job.record.request }
    var mayNeedApproval: Bool { job.mayNeedApproval }
    var now: WallInstant { job.world.host.wall }
    /// What the caller must not see of the answer.
    var mask: Set<String> { decision?.obligations.mask ?? request.permissions.mask }

    func decided(_ decision: Decision) { self.decision = decision }

    /// Throws where the caller may not do this to the record.
    func authorize(_ resource: Resource) throws(ServiceStop) {
        self.resource = resource
        if let live = job.authorize {
            let decision = live(resource)
            self.decision = decision
            guard decision.isPermitted else { throw .forbidden(request.operation, decision) }
            try checkApproval(decision, resource)
            return
        }
        // After a restart: by what was permitted when it was accepted.
        guard request.permissions.permits(resource.site) else {
            throw ServiceStop(
                .forbidden,
                .forbidden(operation: request.operation, rule: nil, reason: "it was not permitted when it was accepted")
            )
        }
    }

    /// Writes down, durably, what is about to be sent: first into the audit log, then into the ledger.
    ///
    /// When this returns, a crash at any later moment leaves enough to find out what happened.
    func begin(
        _ phase: JournalStep.Phase, _ text: String, intent: JSONValue, records: [String] = []
    ) async throws(ServiceStop) {
        if phase == .effect, let remaining = odoo.remaining, remaining < Self.effectTimeMin {
            throw .recordBusy
        }
        if !isAudited {
            do throws(AuditRefused) {
                try await job.audit.intent(note(adding: records))
            } catch {
                throw .auditRefused
            }
            isAudited = true
        }
        let step = JournalStep(text: text, phase: phase, intent: intent)
        // An operation that is looked into again stays unknown; its journal grows.
        try await journal.advance(to: journal.state == .unknown ? .unknown : .dispatched, step, records: records)
    }

    func note(adding records: [String] = []) -> ServiceAuditNote {
        var note = job.note(journal, resource: resource, decision: decision, adding: records)
        note.approval = approval.flatMap { $0.state == .approved ? $0.id : nil }
        return note
    }

    func unknown(canSettle: Bool, _ cause: String) -> ServiceStop {
        .unknown(operationID, canSettle: canSettle, cause: cause)
    }
}
