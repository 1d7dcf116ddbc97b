import Bytes
import Contracts
import Events
import JSON
import Store
import Synchronization

/// What operators do about operations that nobody could settle: see them with all that is known, and say what happened.
extension ServiceRunner {
    /// Most operations in one list. Default 200.
    package static let operationsPerListMax = 200

    /// Operations in a state, oldest first, with why they are in it.
    ///
    /// - Parameter after: the `number` of the last one seen.
    package func operations(
        in state: OperationState, after: Int64, limit: Int, now: WallInstant
    ) async throws(StoreError) -> JSONValue {
        let records = try await ledger.list(
            state: state, limit: min(max(limit, 1), Self.operationsPerListMax), after: after)
        var list: [JSONValue] = []
        for record in records {
            let last = try await ledger.steps(of: record.id).last
            list.append(summary(record, why: last.map { JournalStep($0.text).text }, now))
        }
        return ["operations": .array(list)]
    }

    /// One operation with its request and its whole journal; nil where there is none.
    package func operation(_ id: String, now: WallInstant) async throws(StoreError) -> JSONValue? {
        guard let record = try await ledger.operation(id) else { return nil }
        let steps = try await ledger.steps(of: id)
        var json = summary(record, why: steps.last.map { JournalStep($0.text).text }, now).object ?? JSONObject()
        json["request"] = (try? JSONValue.parse(record.request.body)) ?? .null
        json["answer"] = OperationView.json(record)["answer"] ?? .null
        json["steps"] = .array(
            steps.map { step in
                let line = JournalStep(step.text)
                return [
                    "time": .string(step.time.rfc3339), "state": .string(step.state.rawValue),
                    "text": .string(line.text), "intent": line.intent ?? .null,
                ]
            })
        return .object(json)
    }

    package enum Settling: Sendable {
        case settled
        case notFound
        /// It is not unknown.
        case notOpen(OperationState)
        /// The gateway is still looking by itself.
        case examined
    }

    /// A person has looked and says what happened. The operation's key answers so from now on.
    package func settle(
        _ id: String, applied: Bool, by person: String, because reason: String, now: WallInstant
    ) async throws(StoreError) -> Settling {
        guard let record = try await ledger.operation(id) else { return .notFound }
        guard record.state == .unknown else { return .notOpen(record.state) }
        if examined.contains(id) { return .examined }
        // What the contract promises for a success cannot be made of a person's word: the answer says what is known.
        var problem = Problem(
            .conflictState,
            applied
                ? "it was done, as a person has found out: read its records"
                : "it was not done, as a person has found out: use a new key")
        problem.members["applied"] = .bool(applied)
        problem.members["records"] = .array(record.records.map { .string($0) })
        let answer = ServiceAnswer(.rejected, problem)
        try await ledger.advance(
            id, to: .settled,
            step: JournalStep(text: "\(person) says that it was \(applied ? "done" : "not done"): \(reason)").stored,
            records: [], answer: answer.stored, events: [.settledByPerson(record, applied: applied, now: now)])
        let steps = (try? await ledger.steps(of: id)) ?? []
        settling.settled(record.request.operation, .byPerson, after: steps, at: now)
        return .settled
    }

    /// Nobody can say whether it happened, and the time for looking is over.
    func handOver(_ job: WriteJob, _ journal: OperationJournal, _ stop: ServiceStop) async {
        let minutes = configuration.settleTimeMax / Nanoseconds.minutes(1)
        let text = "needs attention: not known after \(minutes) minutes: \(stop.cause ?? "it could not be read")"
        try? await journal.advance(
            to: .unknown, JournalStep(text: text),
            events: [.beyondSettling(job.record, records: journal.records, now: job.world.host.wall)])
        settling.handedOver(job.request.operation)
    }

    private func summary(_ record: OperationRecord, why: String?, _ now: WallInstant) -> JSONValue {
        [
            "number": JSONValue(Int(record.number)), "id": .string(record.id),
            "operation": .string(record.request.operation), "state": .string(record.state.rawValue),
            "caller": .string(record.request.caller), "accepted_at": .string(record.request.acceptedAt.rfc3339),
            "changed_at": .string(record.changedAt.rfc3339),
            "age_seconds": JSONValue(Int((now - record.request.acceptedAt) / 1_000_000_000)),
            "resource": ProductView.text(record.request.resource),
            "records": .array(record.records.map { .string($0) }),
            "is_examined": .bool(examined.contains(record.id)), "why": ProductView.text(why),
        ]
    }
}

/// The ids of operations that are being looked into.
final class Examined: Sendable {
    private let ids = Mutex<[String: Int]>([:])

    func insert(_ id: String) { ids.withLock { $0[id, default: 0] += 1 } }
    func remove(_ id: String) {
        ids.withLock { ids in
            guard let count = ids[id] else { return }
            ids[id] = count > 1 ? count - 1 : nil
        }
    }
    func contains(_ id: String) -> Bool { ids.withLock { $0[id] != nil } }
}
