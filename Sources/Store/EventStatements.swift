import Bytes
import Events
import JSON

/// What the event log asks of its database, inside the transaction of the writer thread.
extension Database {
    /// Appends an event, with its place in the log and in its subject's sequence; nil when its key was told before.
    func append(_ event: BusinessEvent, now: WallInstant) throws(StoreError) -> RecordedEvent? {
        if let key = event.key {
            try run("INSERT OR IGNORE INTO event_key (key, recorded_at) VALUES (?1, ?2)", [.text(key), .time(now)])
            if changes == 0 { return nil }
        }
        let sequence = try query(
            """
            INSERT INTO aggregate (subject, sequence) VALUES (?1, 1)
            ON CONFLICT (subject) DO UPDATE SET sequence = sequence + 1 RETURNING sequence
            """, [.text(event.subject)]
        ) { row in row.integer(0) }
        guard let sequence = sequence.first else { throw .corrupt("an aggregate has no sequence") }
        let data = event.data.text
        let numbers = try query(
            """
            INSERT INTO event (id, name, version, subject, sequence, site, time, correlation, causation, traceparent,
                data, recorded_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) RETURNING number
            """,
            [
                .text(event.id), .text(event.name), .integer(Int64(event.version)), .text(event.subject),
                .integer(sequence), .text(orNull: event.site), .time(event.time), .text(orNull: event.correlationID),
                .text(orNull: event.causationID), .text(orNull: event.traceparent), .text(data), .time(now),
            ]
        ) { row in row.integer(0) }
        guard let number = numbers.first else { throw .corrupt("an inserted event has no number") }
        try run("UPDATE event_total SET bytes = bytes + ?1", [.integer(Int64(data.utf8.count + Ledger.eventOverhead))])
        return RecordedEvent(number: number, sequence: sequence, event: event)
    }

    func lastEventNumber() throws(StoreError) -> Int64 {
        try query("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'") { row in row.integer(0) }
            .first ?? 0
    }

    func events(after number: Int64, limit: Int) throws(StoreError) -> [RecordedEvent] {
        try query(
            """
            SELECT number, id, name, version, subject, sequence, site, time, correlation, causation, traceparent, data
            FROM event WHERE number > ?1 ORDER BY number LIMIT ?2
            """, [.integer(number), .integer(Int64(limit))], row: Self.event)
    }

    func event(number: Int64) throws(StoreError) -> RecordedEvent? {
        try query(
            """
            SELECT number, id, name, version, subject, sequence, site, time, correlation, causation, traceparent, data
            FROM event WHERE number = ?1
            """, [.integer(number)], row: Self.event
        ).first
    }

    /// The number before that of the first event recorded at the time or later: a cursor to begin there.
    func eventNumber(before time: WallInstant) throws(StoreError) -> Int64? {
        try query(
            "SELECT number - 1 FROM event WHERE recorded_at >= ?1 ORDER BY recorded_at, number LIMIT 1", [.time(time)]
        ) { row in row.integer(0) }.first
    }

    func oldestEventNumber() throws(StoreError) -> Int64? {
        try query("SELECT min(number) FROM event WHERE number > 0") { row in
            row.isNull(0) ? nil : Optional(row.integer(0))
        }.first ?? nil
    }

    /// Removes the oldest events, at most `limit`: those recorded before `time`, and those beyond the size; none with a
    /// number greater than `upTo`.
    func purgeEvents(
        recordedBefore time: WallInstant, bytesMax: Int64, upTo number: Int64, limit: Int
    ) throws(StoreError) -> Int {
        let bytes = try query("SELECT bytes FROM event_total") { row in row.integer(0) }.first ?? 0
        let cut = bytes > bytesMax ? WallInstant(nanoseconds: .max) : time
        let sizes = try query(
            """
            DELETE FROM event WHERE number IN (
                SELECT number FROM event WHERE recorded_at < ?1 AND number <= ?2 ORDER BY number LIMIT ?3)
            RETURNING length(CAST(data AS BLOB))
            """, [.time(cut), .integer(number), .integer(Int64(limit))]
        ) { row in row.integer(0) + Int64(Ledger.eventOverhead) }
        try run("UPDATE event_total SET bytes = max(0, bytes - ?1)", [.integer(sizes.reduce(0, +))])
        return sizes.count
    }

    func purgeEventKeys(recordedBefore time: WallInstant, limit: Int) throws(StoreError) {
        try run(
            """
            DELETE FROM event_key WHERE key IN (
                SELECT key FROM event_key WHERE recorded_at < ?1 ORDER BY recorded_at LIMIT ?2)
            """, [.time(time), .integer(Int64(limit))])
    }

    private static func event(_ row: Row) throws(StoreError) -> RecordedEvent {
        let data: JSONValue
        do throws(JSONError) {
            data = try JSONValue.parse(row.blob(11))
        } catch {
            throw .corrupt("the data of event \(row.integer(0)) is no JSON")
        }
        return RecordedEvent(
            number: row.integer(0), sequence: row.integer(5),
            event: BusinessEvent(
                id: row.text(1), name: row.text(2), version: Int(row.integer(3)), subject: row.text(4),
                site: row.textOrNil(6), time: WallInstant(nanoseconds: row.integer(7)), data: data,
                correlationID: row.textOrNil(8), causationID: row.textOrNil(9), traceparent: row.textOrNil(10)))
    }
}
