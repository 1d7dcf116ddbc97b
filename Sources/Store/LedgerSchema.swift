/// The tables of the ledger, one step per version of the file's `user_version`.
///
/// Times are nanoseconds since 1970. `state` is the word of `OperationState`, so that a person with `sqlite3` can read it.
enum LedgerSchema {
    /// Steps are only ever added: a file in the field has taken those before.
    private static let migrations: [String] = [
        """
        CREATE TABLE operation (
            number          INTEGER PRIMARY KEY,
            id              TEXT NOT NULL UNIQUE,
            caller          TEXT NOT NULL,
            operation       TEXT NOT NULL,
            idempotency_key TEXT NOT NULL,
            body_digest     BLOB NOT NULL,
            body            BLOB NOT NULL,
            resource        TEXT,
            trace_id        TEXT NOT NULL,
            state           TEXT NOT NULL,
            accepted_at     INTEGER NOT NULL,
            changed_at      INTEGER NOT NULL,
            finished_at     INTEGER,
            records         TEXT NOT NULL DEFAULT '[]',
            answer_status   INTEGER,
            answer_type     TEXT,
            answer_body     BLOB
        );
        CREATE UNIQUE INDEX operation_by_key ON operation (caller, operation, idempotency_key);
        CREATE INDEX operation_by_state ON operation (state, number);
        CREATE INDEX operation_by_end ON operation (finished_at) WHERE finished_at IS NOT NULL;
        CREATE TABLE step (
            operation INTEGER NOT NULL REFERENCES operation (number) ON DELETE CASCADE,
            n         INTEGER NOT NULL,
            time      INTEGER NOT NULL,
            state     TEXT NOT NULL,
            text      TEXT NOT NULL,
            PRIMARY KEY (operation, n)
        ) WITHOUT ROWID;
        """,
        """
        CREATE TABLE approval (
            id              TEXT PRIMARY KEY,
            caller          TEXT NOT NULL,
            operation       TEXT NOT NULL,
            idempotency_key TEXT NOT NULL,
            digest          BLOB NOT NULL,
            request         BLOB NOT NULL,
            site            TEXT,
            needs           TEXT NOT NULL,
            state           TEXT NOT NULL,
            votes           TEXT NOT NULL DEFAULT '[]',
            requested_at    INTEGER NOT NULL,
            expires_at      INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX approval_by_key ON approval (caller, operation, idempotency_key);
        CREATE INDEX approval_by_expiry ON approval (expires_at);
        """,
        // The event log: its rows are written in the transaction of what they tell of. AUTOINCREMENT, because a cursor
        // must never mean another event after the newest ones were removed.
        """
        CREATE TABLE event (
            number      INTEGER PRIMARY KEY AUTOINCREMENT,
            id          TEXT NOT NULL UNIQUE,
            name        TEXT NOT NULL,
            version     INTEGER NOT NULL,
            subject     TEXT NOT NULL,
            sequence    INTEGER NOT NULL,
            site        TEXT,
            time        INTEGER NOT NULL,
            correlation TEXT,
            causation   TEXT,
            traceparent TEXT,
            data        TEXT NOT NULL,
            recorded_at INTEGER NOT NULL
        );
        CREATE INDEX event_by_time ON event (recorded_at);
        CREATE TABLE aggregate (
            subject  TEXT PRIMARY KEY,
            sequence INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE event_key (
            key         TEXT PRIMARY KEY,
            recorded_at INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX event_key_by_time ON event_key (recorded_at);
        CREATE TABLE event_total (bytes INTEGER NOT NULL);
        INSERT INTO event_total VALUES (0);
        """,
    ]

    static var version: Int { migrations.count }

    /// Brings the file to the version of this program, each step in a transaction of its own.
    static func migrate(_ database: Database) throws(StoreError) {
        let found = try database.userVersion
        if found > version { throw .newerVersion(found: found, known: version) }
        for (i, migration) in migrations.enumerated().dropFirst(found) {
            try database.execute("BEGIN IMMEDIATE; \(migration) PRAGMA user_version = \(i + 1); COMMIT")
        }
    }
}
