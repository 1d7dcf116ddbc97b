import Bytes
import Webhooks

/// What must survive of deliveries: how far each endpoint is in the event log, what is in retry, what was given up, the
/// attempts that failed, and the subscribers and secrets that were made while running. A file of its own, so that no
/// storm of deliveries waits for an operation, or the other way round.
///
/// Nothing here is written for an event that is delivered at the first attempt but the endpoint's position, many events
/// at a time.
package final class DeliveryStore: Sendable {
    /// Failed attempts kept of each endpoint, the newest. Default 200.
    package static let attemptsMax = 200
    /// Bytes kept of a request and of an answer. Default 4,096.
    package static let previewBytesMax = 4_096
    /// Most dead letters that one list gives.
    package static let listMax = 1_000

    private let writer: DatabaseThread
    private let reader: DatabaseThread

    package init(directory: String) throws(StoreError) {
        try Files.makeDirectory(directory)
        let path = directory + "/delivery.sqlite3"
        try Files.createPrivate(path)
        writer = try DatabaseThread("delivery-write", commits: true) { () throws(StoreError) in
            let database = try Database(path: path, mode: .readWrite)
            try DeliverySchema.migrate(database)
            return database
        }
        reader = try DatabaseThread("delivery-read", commits: false) { () throws(StoreError) in
            try Database(path: path, mode: .readOnly)
        }
    }

    // MARK: Endpoints

    /// Everything that is kept of endpoints.
    package func load() async throws(StoreError) -> [Endpoint] {
        try await writer.perform { database throws(StoreError) in try database.endpoints() }
    }

    /// Keeps what changed, in one transaction: when this returns it survives a crash.
    package func save(
        _ changes: [(name: String, changes: EndpointChanges)], attempts: [Attempt], now: WallInstant
    ) async throws(StoreError) {
        try await writer.perform { database throws(StoreError) in
            for (name, changes) in changes { try database.save(name, changes, now: now) }
            for attempt in attempts { try database.insert(attempt) }
            for name in Set(attempts.map(\.endpoint)) { try database.trimAttempts(of: name) }
        }
    }

    /// Failed attempts, the newest first.
    package func attempts(of endpoint: String, limit: Int) async throws(StoreError) -> [Attempt] {
        try await reader.perform { database throws(StoreError) in try database.attempts(of: endpoint, limit: limit) }
    }

    // MARK: Dead letters

    /// In the order of their events; of all endpoints where `endpoint` is nil.
    package func deadLetters(
        of endpoint: String?, since: WallInstant? = nil, until: WallInstant? = nil,
        limit: Int = DeliveryStore.listMax
    ) async throws(StoreError) -> [DeadLetter] {
        try await reader.perform { database throws(StoreError) in
            try database.deadLetters(of: endpoint, since: since, until: until, limit: min(limit, Self.listMax))
        }
    }

    /// How many dead letters each endpoint has.
    package func deadLetterCounts() async throws(StoreError) -> [String: Int] {
        let rows = try await reader.perform { database throws(StoreError) in
            try database.query(
                "SELECT endpoint, count(*) FROM message WHERE dead_at IS NOT NULL GROUP BY endpoint"
            ) { row in (row.text(0), Int(row.integer(1))) }
        }
        return Dictionary(rows) { first, _ in first }
    }

    /// Forgets dead letters from before the time.
    package func purge(deadBefore time: WallInstant) async throws(StoreError) {
        try await writer.perform { database throws(StoreError) in
            try database.run("DELETE FROM message WHERE dead_at < ?1", [.time(time)])
        }
    }

    /// Forgets an endpoint that no subscriber has any more.
    package func remove(_ name: String) async throws(StoreError) {
        try await writer.perform { database throws(StoreError) in
            try database.run("DELETE FROM endpoint WHERE name = ?1", [.text(name)])
            try database.run("DELETE FROM message WHERE endpoint = ?1", [.text(name)])
            try database.run("DELETE FROM attempt WHERE endpoint = ?1", [.text(name)])
            try database.run("DELETE FROM secret WHERE subscriber = ?1", [.text(name)])
            try database.run("DELETE FROM registration WHERE name = ?1", [.text(name)])
        }
    }

    /// The first number that a message or dead letter refers to; nil when there is none.
    package func oldestNumber() async throws(StoreError) -> Int64? {
        try await reader.perform { database throws(StoreError) in
            try database.query("SELECT min(number) FROM message") { row in
                row.isNull(0) ? nil : Optional(row.integer(0))
            }.first ?? nil
        }
    }

    // MARK: Registrations and secrets

    package func registrations() async throws(StoreError) -> [Registration] {
        try await reader.perform { database throws(StoreError) in
            try database.query("SELECT name, document, by, at FROM registration ORDER BY name") { row in
                Registration(
                    name: row.text(0), document: row.text(1), by: row.text(2),
                    at: WallInstant(nanoseconds: row.integer(3)))
            }
        }
    }

    /// Adds a registration, or puts it in the place of the one of its name.
    package func register(_ registration: Registration) async throws(StoreError) {
        try await writer.perform { database throws(StoreError) in
            try database.run(
                "INSERT OR REPLACE INTO registration (name, document, by, at) VALUES (?1, ?2, ?3, ?4)",
                [
                    .text(registration.name), .text(registration.document), .text(registration.by),
                    .time(registration.at),
                ])
        }
    }

    /// The newest first.
    package func secrets() async throws(StoreError) -> [KeptSecret] {
        try await reader.perform { database throws(StoreError) in
            try database.query(
                "SELECT subscriber, created_at, text, until FROM secret ORDER BY subscriber, created_at DESC"
            ) { row in
                KeptSecret(
                    subscriber: row.text(0), createdAt: WallInstant(nanoseconds: row.integer(1)), text: row.text(2),
                    until: row.isNull(3) ? nil : WallInstant(nanoseconds: row.integer(3)))
            }
        }
    }

    /// Makes a secret the newest one of a subscriber: those before it are used until `overlap`, and forgotten after.
    package func rotate(
        _ subscriber: String, to text: String, now: WallInstant, overlap until: WallInstant
    ) async throws(StoreError) {
        try await writer.perform { database throws(StoreError) in
            try database.run(
                "DELETE FROM secret WHERE subscriber = ?1 AND until <= ?2", [.text(subscriber), .time(now)])
            try database.run(
                "UPDATE secret SET until = ?2 WHERE subscriber = ?1 AND (until IS NULL OR until > ?2)",
                [.text(subscriber), .time(until)])
            try database.run(
                "INSERT INTO secret (subscriber, created_at, text) VALUES (?1, ?2, ?3)",
                [.text(subscriber), .time(now), .text(text)])
        }
    }

    package func close() async {
        await reader.close()
        await writer.close()
    }
}
