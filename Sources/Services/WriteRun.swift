import Bytes
import Contracts
import JSON
import Limits
import Odoo
import Policy
import Store

/// One try of a write, from its lock to its end: what a service works with.
final class WriteRun {
    let request: AcceptedRequest
    let odoo: OdooSession
    let sites: SiteMap
    let journal: OperationJournal
    /// Longest time that a call without an answer may still be at work in Odoo.
    let callRunsMax: Nanoseconds
    let probe: OdooProbe

    private let job: WriteJob
    let ledger: any LedgerPort
    private(set) var resource = Resource()
    private(set) var decision: Decision?
    /// The consent of a second person, where one was asked for.
    var approval: ApprovalRecord?
    /// Whose consent is missing, and for what.
    var wanted: (persons: [Obligations.SecondPerson], resource: Resource)?
    private var isAudited = false
    /// When an effect of this name was sent last, in this try or an earlier one.
    private(set) var sent: [String: WallInstant] = [:]
    /// What a step of this name made.
    private(set) var made: [String: Int] = [:]
    /// The intents of earlier tries, by effect.
    var intents: [String: JSONValue] = [:]
    /// How many of the addon's ids were left, by step.
    private(set) var closedRequests: [String: Int] = [:]
    /// Something was changed by this operation.
    private var hasChanged = false
    /// Something was sent, and it is not known what became of it.
    private(set) var isInDoubt = false
    /// Odoo has answered the effect that is looked for: where it may show nothing, its answer is the proof.
    var isAnswered = false
    private let gate: RecordGate
    private let categories: ProductCategories
    let newest: NewestRecords
    /// What the policy is asked about, as far as the service has said; nil before.
    private var category: Category?
    /// The product that the body names, once it was read.
    var namedProduct: ProductRecord?
    private var tickets: [RecordLocks.Ticket] = []

    /// Least time that must be left before an effect is sent: what Odoo may need when others work on the same rows
    /// (17 s in recordings 355 and 356), so that its answer is still heard.
    static let effectTimeMin: Nanoseconds = .seconds(20)
    /// Longest wait for records, where no request waits. Default 10 minutes.
    static let lockTimeMax: Nanoseconds = .minutes(10)

    init(
        _ job: WriteJob, odoo: OdooSession, sites: SiteMap, journal: OperationJournal, ledger: any LedgerPort,
        gate: RecordGate, categories: ProductCategories, newest: NewestRecords, callRunsMax: Nanoseconds,
        probe: OdooProbe
    ) {
        self.callRunsMax = callRunsMax
        self.probe = probe
        self.job = job
        self.ledger = ledger
        self.gate = gate
        self.categories = categories
        self.newest = newest
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

    /// Of the first request, also in a repetition.
    var acceptedAt: WallInstant { job.record.request.acceptedAt }

    func decided(_ decision: Decision) { self.decision = decision }

    /// A product's category, which may be none.
    private struct Category {
        let name: String?
    }

    /// Whether the policy decides by the product's category: then a service says which product it is about before it
    /// asks `authorize`.
    var needsProductCategory: Bool { job.needsProductCategory || request.permissions.needsProductCategory }

    /// Says which product the write is about. Reads its category where the policy asks for it.
    func learnCategory(ofProduct id: Int) async throws(ServiceStop) {
        guard needsProductCategory else { return }
        category = Category(name: try await categories.name(ofProduct: id, odoo))
    }

    /// Throws where the caller may not do this to the record.
    func authorize(_ asked: Resource) throws(ServiceStop) {
        var resource = asked
        if needsProductCategory {
            // A rule that forbids a category must not be passed because nobody looked.
            guard let category else {
                throw ServiceStop(
                    .forbidden,
                    .forbidden(
                        operation: request.operation, rule: nil, reason: "the product's category is not known here"))
            }
            resource.productCategory = category.name
        }
        self.resource = resource
        // What was sent was permitted. What has changed since must not hide what became of it.
        if !sent.isEmpty { return }
        if let live = job.authorize {
            let decision = live(resource)
            self.decision = decision
            guard decision.isPermitted else { throw .forbidden(request.operation, decision) }
            try checkApproval(decision, resource)
            return
        }
        // After a restart: by what was permitted when it was accepted.
        guard request.permissions.permits(resource) else {
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

    // MARK: What was sent

    /// An earlier try sent the effect of this name, or made the record of this step.
    func hasSent(_ name: String) -> Bool { sent[name] != nil }

    /// Something was done, or may have been.
    var isOpen: Bool { hasChanged || isInDoubt }

    func note(sent name: String, at time: WallInstant) {
        sent[name] = time
        isInDoubt = true
    }

    /// Of a request that is not sent again; of one that was unheard it stays known that it was sent.
    func forget(requestOf name: String, _ names: [String], isUnheard: Bool) {
        intents[name] = nil
        if isUnheard { return }
        closedRequests[name, default: 0] += 1
        for each in names + [name] { sent[each] = nil }
        isInDoubt = false
    }

    func note(made id: Int, as name: String) {
        made[name] = id
        hasChanged = true
        isInDoubt = false
    }

    /// It is known what became of what was sent last.
    func settle(changed: Bool) {
        isInDoubt = false
        if changed { hasChanged = true }
    }

    /// Writes down what a step made, so that a later try goes on from there.
    func keep(made id: Int, as name: String, _ record: String) async throws(ServiceStop) {
        note(made: id, as: name)
        let step = JournalStep(text: "\(record) is made", intent: ["step": .string(name), "made": JSONValue(id)])
        do throws(ServiceStop) {
            try await journal.advance(to: journal.state, step, records: [record])
        } catch {
            throw unknown(canSettle: true, error.cause ?? "the ledger failed")
        }
    }

    // MARK: Further locks

    /// Locks what turns up on the way, such as the quants of a product and place. Taken after the records of the
    /// request and all at once: so nobody waits in a circle. Given back at the end of the try.
    func lock(_ keys: [String]) async throws(ServiceStop) {
        let latest = odoo.deadline.map { $0 + -Self.effectTimeMin } ?? odoo.now + Self.lockTimeMax
        guard let ticket = await gate.acquire(Array(Set(keys)).sorted(), deadline: latest, host: odoo.world.host) else {
            throw .recordBusy
        }
        tickets.append(ticket)
    }

    func unlock() {
        for ticket in tickets { gate.release(ticket, host: odoo.world.host) }
        tickets = []
    }
}
