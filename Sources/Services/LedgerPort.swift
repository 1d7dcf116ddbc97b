import Bytes
import Events
import Store

/// The ledger, as the services need it. The production one is `Ledger`; tests put one that dies in its place.
package protocol LedgerPort: Sendable {
    func accept(_ new: NewOperation) async throws(StoreError) -> Acceptance
    @discardableResult
    func advance(
        _ id: String, to next: OperationState, step: String?, records: [String], answer: StoredAnswer?,
        events: [BusinessEvent]
    ) async throws(StoreError) -> OperationRecord
    func operation(_ id: String) async throws(StoreError) -> OperationRecord?
    func steps(of id: String) async throws(StoreError) -> [OperationStep]
    func list(state: OperationState?, limit: Int, after: Int64) async throws(StoreError) -> [OperationRecord]
    func unfinished() async throws(StoreError) -> [OperationRecord]
    func unknowns() async throws(StoreError) -> [UnknownOperation]
    // Consents of second persons.
    func askApproval(_ new: ApprovalRecord) async throws(StoreError) -> ApprovalRecord
    func approval(_ id: String) async throws(StoreError) -> ApprovalRecord?
    func approval(caller: String, operation: String, key: String) async throws(StoreError) -> ApprovalRecord?
    func pendingApprovals(now: WallInstant, limit: Int) async throws(StoreError) -> [ApprovalRecord]
    func vote(_ vote: ApprovalRecord.Vote, on id: String) async throws(StoreError) -> ApprovalRecord?

    // The event log.
    var bell: EventBell { get }
    func append(_ events: [BusinessEvent]) async throws(StoreError) -> [RecordedEvent]
    func events(after number: Int64, limit: Int) async throws(StoreError) -> [RecordedEvent]
    func cursor(at time: WallInstant) async throws(StoreError) -> Int64
    func oldestEvent() async throws(StoreError) -> Int64?
}

extension Ledger: LedgerPort {}
