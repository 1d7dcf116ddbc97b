import Bytes
import Webhooks

/// What the deliveries ask of their database.
extension Database {
    func endpoints() throws(StoreError) -> [DeliveryStore.Endpoint] {
        var messages: [String: [WebhookMessage]] = [:]
        for (name, message) in try query(
            """
            SELECT endpoint, number, subject, attempts, due, since, reason, redrives FROM message
            WHERE dead_at IS NULL
            """, row: { row in (row.text(0), Self.message(row)) })
        {
            messages[name, default: []].append(message)
        }
        var endpoints = try query("SELECT name, position, disabled, disabled_at, failing_since FROM endpoint") { row in
            DeliveryStore.Endpoint(
                name: row.text(0), position: row.integer(1),
                status: row.textOrNil(2).map {
                    .disabled(reason: $0, since: WallInstant(nanoseconds: row.integer(3)))
                } ?? .active,
                failingSince: row.isNull(4) ? nil : WallInstant(nanoseconds: row.integer(4)))
        }
        for i in endpoints.indices {
            endpoints[i].messages = messages[endpoints[i].name] ?? []
            endpoints[i].settled = Set(
                try query(
                    "SELECT number FROM message WHERE endpoint = ?1 AND number > ?2 AND dead_at IS NOT NULL",
                    [.text(endpoints[i].name), .integer(endpoints[i].position)]
                ) { row in row.integer(0) })
        }
        return endpoints
    }

    private static func message(_ row: Row) -> WebhookMessage {
        WebhookMessage(
            number: row.integer(1), subject: row.text(2), attempts: Int(row.integer(3)),
            due: row.isNull(4) ? nil : WallInstant(nanoseconds: row.integer(4)),
            since: WallInstant(nanoseconds: row.integer(5)), reason: row.text(6), redrives: Int(row.integer(7)))
    }

    func save(_ name: String, _ changes: EndpointChanges, now: WallInstant) throws(StoreError) {
        try run("INSERT OR IGNORE INTO endpoint (name, position) VALUES (?1, 0)", [.text(name)])
        if let position = changes.position {
            try run("UPDATE endpoint SET position = ?2 WHERE name = ?1", [.text(name), .integer(position)])
        }
        switch changes.status {
        case .active:
            try run("UPDATE endpoint SET disabled = NULL, disabled_at = NULL WHERE name = ?1", [.text(name)])
        case .disabled(let reason, let since):
            try run(
                "UPDATE endpoint SET disabled = ?2, disabled_at = ?3 WHERE name = ?1",
                [.text(name), .text(reason), .time(since)])
        case nil: break
        }
        if let since = changes.failingSince {
            try run("UPDATE endpoint SET failing_since = ?2 WHERE name = ?1", [.text(name), .time(since)])
        }
        for number in changes.removed {
            try run("DELETE FROM message WHERE endpoint = ?1 AND number = ?2", [.text(name), .integer(number)])
        }
        for message in changes.kept.values { try insert(name, message, deadAt: nil) }
        for message in changes.dead { try insert(name, message, deadAt: now) }
    }

    private func insert(_ name: String, _ message: WebhookMessage, deadAt: WallInstant?) throws(StoreError) {
        try run(
            """
            INSERT OR REPLACE INTO message (endpoint, number, subject, attempts, due, since, reason, redrives, dead_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """,
            [
                .text(name), .integer(message.number), .text(message.subject), .integer(Int64(message.attempts)),
                .time(message.due), .time(message.since), .text(message.reason), .integer(Int64(message.redrives)),
                .time(deadAt),
            ])
    }

    func insert(_ attempt: DeliveryStore.Attempt) throws(StoreError) {
        try run(
            """
            INSERT INTO attempt (endpoint, number, event, attempt, time, duration, status, reason, address, request,
                response)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """,
            [
                .text(attempt.endpoint), .integer(attempt.number), .text(attempt.event),
                .integer(Int64(attempt.attempt)), .time(attempt.time), .integer(attempt.duration),
                attempt.status.map { .integer(Int64($0)) } ?? .null, .text(attempt.reason), .text(attempt.address),
                .text(attempt.request), .text(attempt.response),
            ])
    }

    func trimAttempts(of name: String) throws(StoreError) {
        try run(
            """
            DELETE FROM attempt WHERE endpoint = ?1 AND id <= (
                SELECT id FROM attempt WHERE endpoint = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
            """, [.text(name), .integer(Int64(DeliveryStore.attemptsMax))])
    }

    func attempts(of name: String, limit: Int) throws(StoreError) -> [DeliveryStore.Attempt] {
        try query(
            """
            SELECT endpoint, number, event, attempt, time, duration, status, reason, address, request, response
            FROM attempt WHERE endpoint = ?1 ORDER BY id DESC LIMIT ?2
            """, [.text(name), .integer(Int64(limit))]
        ) { row in
            DeliveryStore.Attempt(
                endpoint: row.text(0), number: row.integer(1), event: row.text(2), attempt: Int(row.integer(3)),
                time: WallInstant(nanoseconds: row.integer(4)), duration: row.integer(5),
                status: row.isNull(6) ? nil : Int(row.integer(6)), reason: row.text(7), address: row.text(8),
                request: row.text(9), response: row.text(10))
        }
    }

    func deadLetters(
        of name: String?, since: WallInstant?, until: WallInstant?, limit: Int
    ) throws(StoreError) -> [DeliveryStore.DeadLetter] {
        try query(
            """
            SELECT endpoint, number, subject, attempts, due, since, reason, redrives, dead_at FROM message
            WHERE dead_at IS NOT NULL AND (?1 IS NULL OR endpoint = ?1) AND dead_at >= ?2 AND dead_at < ?3
            ORDER BY number LIMIT ?4
            """,
            [
                .text(orNull: name), .time(since ?? WallInstant(nanoseconds: 0)),
                .time(until ?? WallInstant(nanoseconds: .max)), .integer(Int64(limit)),
            ]
        ) { row in
            DeliveryStore.DeadLetter(
                endpoint: row.text(0), message: Self.message(row), diedAt: WallInstant(nanoseconds: row.integer(8)))
        }
    }
}
