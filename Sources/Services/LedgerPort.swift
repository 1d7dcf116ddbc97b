import Store

/// The ledger, as the services need it. The production one is `Ledger`; tests put one that dies in its place.
package protocol LedgerPort: Sendable {
    func accept(_ new: NewOperation) async throws(StoreError) -> Acceptance
    @discardableResult
    func advance(
        _ id: String, to next: OperationState, step: String?, records: [String], answer: StoredAnswer?
    ) async throws(StoreError) -> OperationRecord
    func operation(_ id: String) async throws(StoreError) -> OperationRecord?
    func steps(of id: String) async throws(StoreError) -> [OperationStep]
    func list(state: OperationState?, limit: Int, after: Int64) async throws(StoreError) -> [OperationRecord]
    func unfinished() async throws(StoreError) -> [OperationRecord]
}

extension Ledger: LedgerPort {}
