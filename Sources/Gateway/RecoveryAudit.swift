import Audit
import Bytes
import Reactor
import Services
import Store

/// The audit log as operations see it that go on after a restart, without the request that began them.
struct RecoveryAudit: AuditPort {
    let log: AppendLog

    func intent(_ note: ServiceAuditNote) async throws(AuditRefused) {
        do throws(StoreError) {
            try await log.appendDurably(entry(.intent, note))
        } catch {
            throw AuditRefused()
        }
    }

    func ended(_ note: ServiceAuditNote, _ answer: ServiceAnswer) async {
        var entry = entry(.outcome, note)
        entry.status = answer.status
        entry.outcome = answer.outcome.audited
        try? await log.appendDurably(entry)
    }

    private func entry(_ kind: AuditKind, _ note: ServiceAuditNote) -> AuditEntry {
        var entry = AuditEntry(time: Clock.wall(), kind: kind, requestID: note.requestID)
        entry.traceID = note.traceID
        // `issuer|subject`, as it was when the operation was accepted.
        let parts = note.caller.split(separator: "|", maxSplits: 1).map(String.init)
        entry.caller = AuditCaller(subject: parts.last ?? "", issuer: parts.first ?? "", roles: [])
        entry.decision = AuditDecision(operation: note.operation, effect: .allow)
        entry.site = note.resource.site
        entry.workCenter = note.resource.workCenter
        entry.records = note.records
        entry.bodyDigest = AuditDigest(note.digest)
        entry.detail = "operation \(note.operationID), after a restart"
        return entry
    }
}
