import Bytes
import JSON

/// Consents of second persons, beside the operations that they are for.
extension Ledger {
    /// Stores a request for consent, or gives the one that is open for the same caller, operation and key. One that has
    /// expired is replaced; one that was refused stays.
    package func askApproval(_ new: ApprovalRecord) async throws(StoreError) -> ApprovalRecord {
        try await onWriter { database throws(StoreError) in
            if let earlier = try database.approval(of: new.caller, new.operation, new.idempotencyKey) {
                let isOver = earlier.state != .rejected && earlier.isExpired(at: new.requestedAt)
                let isOther = earlier.digest != new.digest || earlier.needs != new.needs
                if !isOver && !isOther { return earlier }
                try database.run("DELETE FROM approval WHERE id = ?1", [.text(earlier.id)])
            }
            try database.insert(new)
            return new
        }
    }

    package func approval(_ id: String) async throws(StoreError) -> ApprovalRecord? {
        try await onReader { database throws(StoreError) in try database.approval(id: id) }
    }

    /// The consent asked for by this caller for this key; nil when none was.
    package func approval(
        caller: String, operation: String, key: String
    ) async throws(StoreError) -> ApprovalRecord? {
        try await onReader { database throws(StoreError) in try database.approval(of: caller, operation, key) }
    }

    /// Those that wait and have not expired, oldest first.
    package func pendingApprovals(now: WallInstant, limit: Int) async throws(StoreError) -> [ApprovalRecord] {
        try await onReader { database throws(StoreError) in try database.pendingApprovals(now: now, limit: limit) }
    }

    /// Adds a vote; gives the record after it, nil when there is none. What is decided or expired stays as it is.
    package func vote(_ vote: ApprovalRecord.Vote, on id: String) async throws(StoreError) -> ApprovalRecord? {
        try await onWriter { database throws(StoreError) in
            guard var record = try database.approval(id: id) else { return nil }
            guard record.state == .pending, !record.isExpired(at: vote.time) else { return record }
            record.votes.append(vote)
            if !vote.approves {
                record.state = .rejected
            } else if record.open.isEmpty {
                record.state = .approved
            }
            try database.run(
                "UPDATE approval SET state = ?2, votes = ?3 WHERE id = ?1",
                [.text(id), .text(record.state.rawValue), .text(Database.text(record.votes))])
            return record
        }
    }

    /// Removes consents that expired before `time`.
    package func purgeApprovals(expiredBefore time: WallInstant) async throws(StoreError) {
        try await onWriter { database throws(StoreError) in
            try database.run("DELETE FROM approval WHERE expires_at < ?1", [.time(time)])
        }
    }
}

extension Database {
    func insert(_ new: ApprovalRecord) throws(StoreError) {
        try run(
            """
            INSERT INTO approval (id, caller, operation, idempotency_key, digest, request, site, needs, state, votes, requested_at,
                expires_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            """,
            [
                .text(new.id), .text(new.caller), .text(new.operation), .text(new.idempotencyKey), .blob(new.digest),
                .blob(new.request), .text(orNull: new.site), .text(Self.text(new.needs)), .text(new.state.rawValue),
                .text(Self.text(new.votes)), .time(new.requestedAt), .time(new.expiresAt),
            ])
    }

    func approval(id: String) throws(StoreError) -> ApprovalRecord? {
        try query(
            """
            SELECT id, caller, operation, idempotency_key, digest, request, site, needs, state, votes, requested_at,
                expires_at
            FROM approval WHERE id = ?1
            """, [.text(id)], row: Self.approval
        ).first
    }

    func approval(
        of caller: String, _ operation: String, _ key: String
    ) throws(StoreError) -> ApprovalRecord? {
        try query(
            """
            SELECT id, caller, operation, idempotency_key, digest, request, site, needs, state, votes, requested_at,
                expires_at
            FROM approval WHERE caller = ?1 AND operation = ?2 AND idempotency_key = ?3
            """, [.text(caller), .text(operation), .text(key)], row: Self.approval
        ).first
    }

    func pendingApprovals(now: WallInstant, limit: Int) throws(StoreError) -> [ApprovalRecord] {
        try query(
            """
            SELECT id, caller, operation, idempotency_key, digest, request, site, needs, state, votes, requested_at,
                expires_at
            FROM approval WHERE state = 'pending' AND expires_at > ?1 ORDER BY requested_at, id LIMIT ?2
            """, [.time(now), .integer(Int64(limit))], row: Self.approval)
    }

    private static func approval(_ row: Row) throws(StoreError) -> ApprovalRecord {
        let needs = (try? JSONValue.parse(row.text(7)))?.array
        guard let needs, let state = ApprovalRecord.State(rawValue: row.text(8)),
            let votes = (try? JSONValue.parse(row.text(9)))?.array
        else { throw .corrupt("an approval cannot be read") }
        return ApprovalRecord(
            id: row.text(0), caller: row.text(1), operation: row.text(2), idempotencyKey: row.text(3),
            digest: row.blob(4), request: row.blob(5), site: row.textOrNil(6),
            needs: needs.map { Set(($0.array ?? []).compactMap(\.string)) }, state: state,
            votes: try votes.map { vote throws(StoreError) in try Self.vote(vote) },
            requestedAt: WallInstant(nanoseconds: row.integer(10)),
            expiresAt: WallInstant(nanoseconds: row.integer(11)))
    }

    private static func vote(_ json: JSONValue) throws(StoreError) -> ApprovalRecord.Vote {
        guard let by = json["by"]?.string, let roles = json["roles"]?.array,
            let time = json["time"]?.string.flatMap({ WallInstant($0) }), let approves = json["approves"]?.bool
        else { throw .corrupt("a vote cannot be read") }
        return ApprovalRecord.Vote(by: by, roles: roles.compactMap(\.string), time: time, approves: approves)
    }

    static func text(_ votes: [ApprovalRecord.Vote]) -> String {
        JSONValue.array(
            votes.map { vote in
                [
                    "by": .string(vote.by), "roles": .array(vote.roles.map { .string($0) }),
                    "time": .string(vote.time.rfc3339), "approves": .bool(vote.approves),
                ]
            }
        ).text
    }

    private static func text(_ needs: [Set<String>]) -> String {
        JSONValue.array(needs.map { .array($0.sorted().map { .string($0) }) }).text
    }
}
