import Bytes
import Events
import JSON
import Limits
import Odoo
import Store
import Synchronization

@testable import Services

/// A process that dies at a chosen moment: before or after one of its steps to the world outside.
final class Death: Sendable {
    enum Moment: Sendable, CaseIterable { case before, after }

    private let state = Mutex<(steps: Int, isDead: Bool)>((0, false))
    private let at: Int
    private let moment: Moment

    /// - Parameter at: from 1.
    init(at: Int, _ moment: Moment) {
        self.at = at
        self.moment = moment
    }

    var isDead: Bool { state.withLock { $0.isDead } }

    /// Counts a step and never returns where the process dies before it.
    func before() async -> Bool {
        let (isLast, dies) = state.withLock { state -> (Bool, Bool) in
            if state.isDead { return (false, true) }
            state.steps += 1
            let isLast = state.steps == at
            if isLast, moment == .before { state.isDead = true }
            return (isLast, state.isDead)
        }
        if dies { await Self.forever() }
        return isLast
    }

    /// Never returns where the process dies after the step, or meanwhile.
    func after(_ isLast: Bool) async {
        let dies = state.withLock { state -> Bool in
            if isLast { state.isDead = true }
            return state.isDead
        }
        if dies { await Self.forever() }
    }

    private static func forever() async {
        while true { try? await Task.sleep(for: .seconds(3_600)) }
    }
}

struct MortalOdoo: PassingPort {
    let odoo: SandboxPort
    let death: Death

    func call(
        _ call: OdooCall, admission: AdmissionClass, deadline: MonotonicInstant?
    ) async throws(OdooError) -> JSONValue? {
        let isLast = await death.before()
        let result: Result<JSONValue?, OdooError>
        do throws(OdooError) {
            result = .success(try await odoo.call(call, admission: admission, deadline: deadline))
        } catch {
            result = .failure(error)
        }
        await death.after(isLast)
        return try result.get()
    }
}

struct MortalLedger: LedgerAround {
    let ledger: Ledger
    let death: Death

    func accept(_ new: NewOperation) async throws(StoreError) -> Acceptance {
        let isLast = await death.before()
        let result = try await ledger.accept(new)
        await death.after(isLast)
        return result
    }

    func advance(
        _ id: String, to next: OperationState, step: String?, records: [String], answer: StoredAnswer?,
        events: [BusinessEvent]
    ) async throws(StoreError) -> OperationRecord {
        let isLast = await death.before()
        let result = try await ledger.advance(
            id, to: next, step: step, records: records, answer: answer, events: events)
        await death.after(isLast)
        return result
    }

    func operation(_ id: String) async throws(StoreError) -> OperationRecord? { try await ledger.operation(id) }
    func steps(of id: String) async throws(StoreError) -> [OperationStep] { try await ledger.steps(of: id) }
    func list(state: OperationState?, limit: Int, after: Int64) async throws(StoreError) -> [OperationRecord] {
        try await ledger.list(state: state, limit: limit, after: after)
    }
    func unfinished() async throws(StoreError) -> [OperationRecord] { try await ledger.unfinished() }

    func askApproval(_ new: ApprovalRecord) async throws(StoreError) -> ApprovalRecord {
        let isLast = await death.before()
        let result = try await ledger.askApproval(new)
        await death.after(isLast)
        return result
    }

    func approval(_ id: String) async throws(StoreError) -> ApprovalRecord? { try await ledger.approval(id) }
    func approval(caller: String, operation: String, key: String) async throws(StoreError) -> ApprovalRecord? {
        try await ledger.approval(caller: caller, operation: operation, key: key)
    }
    func pendingApprovals(now: WallInstant, limit: Int) async throws(StoreError) -> [ApprovalRecord] {
        try await ledger.pendingApprovals(now: now, limit: limit)
    }
    func vote(_ vote: ApprovalRecord.Vote, on id: String) async throws(StoreError) -> ApprovalRecord? {
        try await ledger.vote(vote, on: id)
    }
}

/// A ledger with another inside, whose event log it is.
protocol LedgerAround: LedgerPort {
    var ledger: Ledger { get }
}

extension LedgerAround {
    func unknowns() async throws(StoreError) -> [UnknownOperation] { try await ledger.unknowns() }
    var bell: EventBell { ledger.bell }
    func append(_ events: [BusinessEvent]) async throws(StoreError) -> [RecordedEvent] {
        try await ledger.append(events)
    }
    func events(after number: Int64, limit: Int) async throws(StoreError) -> [RecordedEvent] {
        try await ledger.events(after: number, limit: limit)
    }
    func cursor(at time: WallInstant) async throws(StoreError) -> Int64 { try await ledger.cursor(at: time) }
    func oldestEvent() async throws(StoreError) -> Int64? {
        try await ledger.oldestEvent()
    }
}
