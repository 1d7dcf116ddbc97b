import Bytes
import Events
import JSON

/// What the ledger asks of its database, inside the transaction of the writer thread.
extension Database {
    func accept(_ new: NewOperation) throws(StoreError) -> Acceptance {
        if let earlier = try operation(caller: new.caller, operation: new.operation, key: new.idempotencyKey) {
            if earlier.request.bodyDigest != new.bodyDigest { return .mismatch(earlier) }
            return earlier.answer == nil ? .inFlight(earlier) : .replay(earlier)
        }
        if try operation(id: new.id) != nil { throw .duplicateID }
        let numbers = try query(
            """
            INSERT INTO operation (id, caller, operation, idempotency_key, body_digest, body, resource, trace_id, state,
                accepted_at, changed_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'accepted', ?9, ?9) RETURNING number
            """,
            [
                .text(new.id), .text(new.caller), .text(new.operation), .text(new.idempotencyKey),
                .blob(new.bodyDigest), .blob(new.body), .text(orNull: new.resource), .text(new.traceID),
                .time(new.acceptedAt),
            ]
        ) { row in row.integer(0) }
        guard let number = numbers.first else { throw .corrupt("an inserted row has no number") }
        return .accepted(
            OperationRecord(
                number: number, request: new, state: .accepted, changedAt: new.acceptedAt, finishedAt: nil, records: [],
                answer: nil))
    }

    /// Gives the state before and the record after.
    func advance(
        _ id: String, to next: OperationState, step: String?, records: [String], answer: StoredAnswer?,
        now: WallInstant
    ) throws(StoreError) -> (from: OperationState, record: OperationRecord) {
        guard var record = try operation(id: id) else { throw .notFound }
        let from = record.state
        guard from.mayBecome(next) else { throw .forbidden(from: from, to: next) }
        for added in records where !record.records.contains(added) { record.records.append(added) }
        record.state = next
        record.changedAt = now
        record.finishedAt = next.isFinal ? now : nil
        record.answer = answer ?? record.answer
        try run(
            """
            UPDATE operation SET state = ?2, changed_at = ?3, finished_at = ?4, records = ?5, answer_status = ?6,
                answer_type = ?7, answer_body = ?8 WHERE number = ?1
            """,
            [
                .integer(record.number), .text(next.rawValue), .time(now), .time(record.finishedAt),
                .text(JSONValue.array(record.records.map { .string($0) }).text),
                record.answer.map { .integer(Int64($0.status)) } ?? .null,
                .text(orNull: record.answer?.contentType), record.answer.map { .blob($0.body) } ?? .null,
            ])
        try run(
            """
            INSERT INTO step (operation, n, time, state, text)
            VALUES (?1, (SELECT coalesce(max(n), 0) + 1 FROM step WHERE operation = ?1), ?2, ?3, ?4)
            """,
            [.integer(record.number), .time(now), .text(next.rawValue), .text(step ?? "{}")])
        return (from, record)
    }

    /// Removes at most `limit` operations that ended before `time`, and gives the states they were in.
    func purge(finishedBefore time: WallInstant, limit: Int) throws(StoreError) -> [OperationState] {
        let words = try query(
            """
            DELETE FROM operation WHERE number IN (
                SELECT number FROM operation
                WHERE finished_at < ?1 AND state IN ('applied', 'rejected', 'settled') LIMIT ?2)
            RETURNING state
            """,
            [.time(time), .integer(Int64(limit))]
        ) { row in row.text(0) }
        return try words.map { word throws(StoreError) in try Self.state(word) }
    }

    // MARK: - Reading

    func operation(id: String) throws(StoreError) -> OperationRecord? {
        try query(
            """
            SELECT number, id, caller, operation, idempotency_key, body_digest, body, resource, trace_id, state,
                accepted_at, changed_at, finished_at, records, answer_status, answer_type, answer_body
            FROM operation WHERE id = ?1
            """, [.text(id)], row: Self.record
        ).first
    }

    private func operation(caller: String, operation: String, key: String) throws(StoreError) -> OperationRecord? {
        try query(
            """
            SELECT number, id, caller, operation, idempotency_key, body_digest, body, resource, trace_id, state,
                accepted_at, changed_at, finished_at, records, answer_status, answer_type, answer_body
            FROM operation WHERE caller = ?1 AND operation = ?2 AND idempotency_key = ?3
            """, [.text(caller), .text(operation), .text(key)], row: Self.record
        ).first
    }

    func operations(after number: Int64, limit: Int) throws(StoreError) -> [OperationRecord] {
        try query(
            """
            SELECT number, id, caller, operation, idempotency_key, body_digest, body, resource, trace_id, state,
                accepted_at, changed_at, finished_at, records, answer_status, answer_type, answer_body
            FROM operation WHERE number > ?1 ORDER BY number LIMIT ?2
            """, [.integer(number), .integer(Int64(limit))], row: Self.record)
    }

    func operations(
        in state: OperationState, after number: Int64, limit: Int
    ) throws(StoreError) -> [OperationRecord] {
        try query(
            """
            SELECT number, id, caller, operation, idempotency_key, body_digest, body, resource, trace_id, state,
                accepted_at, changed_at, finished_at, records, answer_status, answer_type, answer_body
            FROM operation WHERE state = ?1 AND number > ?2 ORDER BY number LIMIT ?3
            """, [.text(state.rawValue), .integer(number), .integer(Int64(limit))], row: Self.record)
    }

    func steps(of id: String) throws(StoreError) -> [OperationStep] {
        try query(
            """
            SELECT n, time, step.state, text FROM step JOIN operation ON operation.number = step.operation
            WHERE operation.id = ?1 ORDER BY n
            """, [.text(id)]
        ) { row throws(StoreError) in
            OperationStep(
                number: Int(row.integer(0)), time: WallInstant(nanoseconds: row.integer(1)),
                state: try Self.state(row.text(2)), text: row.text(3))
        }
    }

    func unknowns() throws(StoreError) -> [UnknownOperation] {
        try query(
            """
            SELECT id, operation, coalesce(
                (SELECT min(time) FROM step WHERE step.operation = number AND step.state = 'unknown'), changed_at)
            FROM operation WHERE state = 'unknown' ORDER BY number
            """
        ) { row in
            UnknownOperation(
                id: row.text(0), operation: row.text(1), since: WallInstant(nanoseconds: row.integer(2)))
        }
    }

    /// Operations per state, in the order of `OperationState.allCases`.
    func operationCounts() throws(StoreError) -> [Int] {
        var counts = [Int](repeating: 0, count: OperationState.allCases.count)
        let rows = try query("SELECT state, count(*) FROM operation GROUP BY state") { row throws(StoreError) in
            (try Self.state(row.text(0)), Int(row.integer(1)))
        }
        for (state, count) in rows { counts[state.index] = count }
        return counts
    }

    private static func state(_ word: String) throws(StoreError) -> OperationState {
        guard let state = OperationState(rawValue: word) else { throw .corrupt("no state is called '\(word)'") }
        return state
    }

    /// Columns in the order of the SELECTs above.
    private static func record(_ row: Row) throws(StoreError) -> OperationRecord {
        let names = try? JSONValue.parse(row.text(13)).array?.compactMap(\.string)
        guard let records = names else { throw .corrupt("the records of an operation are no list") }
        return OperationRecord(
            number: row.integer(0),
            request: NewOperation(
                id: row.text(1), idempotencyKey: row.text(4), caller: row.text(2), operation: row.text(3),
                bodyDigest: row.blob(5), body: row.blob(6), resource: row.textOrNil(7), traceID: row.text(8),
                acceptedAt: WallInstant(nanoseconds: row.integer(10))),
            state: try state(row.text(9)),
            changedAt: WallInstant(nanoseconds: row.integer(11)),
            finishedAt: row.isNull(12) ? nil : WallInstant(nanoseconds: row.integer(12)),
            records: records,
            answer: row.isNull(14)
                ? nil
                : StoredAnswer(status: Int(row.integer(14)), contentType: row.text(15), body: row.blob(16)))
    }
}
