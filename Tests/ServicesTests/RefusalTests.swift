import Bytes
import Events
import JSON
import Limits
import Odoo
import Store
import Synchronization
import Testing

@testable import Services

/// The sandbox with some answers replaced: they are Odoo's, and nothing happens behind them.
struct MeddlingOdoo: OdooPort {
    let odoo: SandboxPort
    let major: Int
    let meddle: @Sendable (OdooCall) -> Result<JSONValue?, OdooError>?

    func version(deadline: MonotonicInstant?) async throws(OdooError) -> OdooVersion { OdooVersion(major: major) }

    func call(
        _ call: OdooCall, admission: AdmissionClass, deadline: MonotonicInstant?
    ) async throws(OdooError) -> JSONValue? {
        if let answer = meddle(call) { return try answer.get() }
        return try await odoo.call(call, admission: admission, deadline: deadline)
    }
}

/// A ledger on a disk that is full for a while.
final class FullLedger: LedgerAround {
    let ledger: Ledger
    private let fails = Mutex<@Sendable (OperationState?) -> Bool>({ _ in false })

    init(_ ledger: Ledger) { self.ledger = ledger }

    /// `when` is asked with nil for an acceptance.
    func fail(_ when: @escaping @Sendable (OperationState?) -> Bool) { fails.withLock { $0 = when } }

    func accept(_ new: NewOperation) async throws(StoreError) -> Acceptance {
        if fails.withLock({ $0 })(nil) { throw .diskFull }
        return try await ledger.accept(new)
    }

    func advance(
        _ id: String, to next: OperationState, step: String?, records: [String], answer: StoredAnswer?,
        events: [BusinessEvent]
    ) async throws(StoreError) -> OperationRecord {
        if fails.withLock({ $0 })(next) { throw .diskFull }
        return try await ledger.advance(id, to: next, step: step, records: records, answer: answer, events: events)
    }

    func operation(_ id: String) async throws(StoreError) -> OperationRecord? { try await ledger.operation(id) }
    func steps(of id: String) async throws(StoreError) -> [OperationStep] { try await ledger.steps(of: id) }
    func list(state: OperationState?, limit: Int, after: Int64) async throws(StoreError) -> [OperationRecord] {
        try await ledger.list(state: state, limit: limit, after: after)
    }
    func unfinished() async throws(StoreError) -> [OperationRecord] { try await ledger.unfinished() }

    func askApproval(_ new: ApprovalRecord) async throws(StoreError) -> ApprovalRecord {
        try await ledger.askApproval(new)
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

@Suite struct RefusalTests {
    /// A plant whose Odoo is meddled with.
    static func plant(
        _ version: Int, major: Int? = nil, _ meddle: @escaping @Sendable (OdooCall) -> Result<JSONValue?, OdooError>?
    ) throws -> (bench: Bench, odoo: SandboxPort) {
        let host = TestHost()
        let odoo = SandboxPort(version, host: host)
        let bench = try Bench(odoo: MeddlingOdoo(odoo: odoo, major: major ?? version, meddle: meddle), host: host)
        return (bench, odoo)
    }

    static func confirm(_ bench: Bench, key: String = "k") async throws -> ServiceAnswer {
        let list = try await bench.send("GET", "/v1/production-orders?product_code=PUMP-100&state=released,in_progress")
        let id = list.json["items"]?[0]?["id"]?.int ?? 0
        return try await bench.send("POST", "/v1/production-orders/\(id)/confirm", #"{"quantity": 3}"#, key: key)
    }

    @Test(arguments: [17, 19]) func odoosRefusalOfTheBookingIsA422WithItsWords(_ version: Int) async throws {
        let error = try Recorded.error(version, "112")
        let (bench, odoo) = try Self.plant(version) { $0.method == "button_mark_done" ? .failure(error) : nil }
        defer { bench.remove() }
        let answer = try await Self.confirm(bench)
        #expect(answer.status == 422)
        #expect(answer.problem == "odoo-refused")
        #expect(answer.json["odoo_error"] == "odoo.exceptions.UserError")
        #expect(answer.json["detail"]?.string == error.userMessage)
        #expect(answer.outcome == .rejected)
        #expect(odoo.methods.last == "mrp.production.write", "the preparation is undone")
        let again = try await Self.confirm(bench)
        #expect(again.status == 422)
        #expect(again.field("Idempotent-Replayed") == "true")
    }

    @Test(arguments: [17, 19]) func aWizardMeansThatNothingWasBooked(_ version: Int) async throws {
        let wizard = try Recorded.result(version, "077")
        let (bench, _) = try Self.plant(version) { $0.method == "button_mark_done" ? .success(wizard) : nil }
        defer { bench.remove() }
        let answer = try await Self.confirm(bench)
        #expect(answer.status == 422)
        #expect(answer.json["detail"]?.string?.contains("mrp.consumption.warning") == true)
    }

    @Test func anErrorThatProvesNoRollbackIsReadBackAtOnce() async throws {
        let error = OdooError(name: "psycopg2.OperationalError", message: "server closed the connection")
        let (bench, _) = try Self.plant(19) { $0.method == "button_mark_done" ? .failure(error) : nil }
        defer { bench.remove() }
        let answer = try await Self.confirm(bench)
        #expect(answer.status == 503)
        #expect(answer.outcome == .rejected)
        #expect(!answer.text.contains("psycopg2"))
        let operations = try await bench.ledger.list()
        #expect(operations.map(\.state) == [.rejected])
    }

    @Test func odoosRefusalOfACreateNamesItsReasons() async throws {
        let messages: JSONValue = [
            "ids": false, "messages": [["type": "error", "field": "bom_id", "message": "No such bill"]],
        ]
        let (bench, _) = try Self.plant(17) { $0.method == "load" ? .success(messages) : nil }
        defer { bench.remove() }
        let answer = try await bench.send(
            "POST", "/v1/production-orders", #"{"product_code": "VALVE-20", "quantity": 2, "site": "plant-1"}"#,
            key: "k")
        #expect(answer.status == 422)
        #expect(answer.json["detail"] == "No such bill")
    }

    @Test func aVersionThatIsNotProvedIsNotWrittenTo() async throws {
        let (bench, odoo) = try Self.plant(19, major: 20) { _ in nil }
        defer { bench.remove() }
        let answer = try await Self.confirm(bench)
        #expect(answer.status == 501)
        #expect(odoo.effects("write") == 0)
    }

    @Test func componentsThatWouldNotBeConsumedAreAConflict() async throws {
        let (bench, odoo) = try Self.plant(19) { $0.method == "set_qty_producing" ? .success(nil) : nil }
        defer { bench.remove() }
        let answer = try await Self.confirm(bench)
        #expect(answer.status == 409)
        #expect(answer.json["reason"] == "components-not-consumed")
        #expect(odoo.effects("button_mark_done") == 0)
    }

    // MARK: The ledger

    static func full() throws -> (bench: Bench, odoo: SandboxPort, ledger: FullLedger) {
        let host = TestHost()
        let odoo = SandboxPort(19, host: host)
        let made = Mutex<FullLedger?>(nil)
        let bench = try Bench(odoo: odoo, host: host) { ledger in
            let full = FullLedger(ledger)
            made.withLock { $0 = full }
            return full
        }
        return (bench, odoo, try made.withLock { $0 }.unwrapped())
    }

    @Test func onAFullDiskWritesAreRefusedAndReadsServed() async throws {
        let (bench, odoo, ledger) = try Self.full()
        defer { bench.remove() }
        ledger.fail { _ in true }
        let answer = try await Self.confirm(bench)
        #expect(answer.status == 503)
        #expect(answer.problem == "audit-unavailable")
        #expect(odoo.effects("write") == 0)
        ledger.fail { $0 == .dispatched }
        #expect(try await Self.confirm(bench).status == 503)
        #expect(odoo.effects("write") == 0)
        ledger.fail { _ in false }
        #expect(try await Self.confirm(bench).status == 200)
        #expect(odoo.effects("button_mark_done") == 1)
    }

    @Test func whatCannotBeWrittenDownIsNotAcknowledgedAndIsFoundLater() async throws {
        let (bench, odoo, ledger) = try Self.full()
        defer { bench.remove() }
        let list = try await bench.send("GET", "/v1/production-orders?product_code=PUMP-100&state=released")
        let path = "/v1/production-orders/\(list.json["items"]?[0]?["id"]?.int ?? 0)/confirm"
        ledger.fail { $0 == .applied }
        let answer = try await bench.send("POST", path, #"{"quantity": 3}"#, key: "k")
        #expect(answer.status == 504)
        #expect(odoo.effects("button_mark_done") == 1)
        ledger.fail { _ in false }
        let again = try await bench.send("POST", path, #"{"quantity": 3}"#, key: "k")
        #expect(again.status == 200)
        #expect(again.operationID == answer.operationID)
        #expect(odoo.effects("button_mark_done") == 1)
    }
}
