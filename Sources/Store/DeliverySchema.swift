/// The tables of the deliveries, one step per version of the file's `user_version`.
enum DeliverySchema {
    private static let migrations: [String] = [
        // An endpoint is a position in the event log; `message` has what it is not done with before that, and what was
        // given up. `registration` and `secret` are subscribers that were added while running, and secrets that the
        // gateway made.
        """
        CREATE TABLE endpoint (
            name          TEXT PRIMARY KEY,
            position      INTEGER NOT NULL,
            disabled      TEXT,
            disabled_at   INTEGER,
            failing_since INTEGER
        ) WITHOUT ROWID;
        CREATE TABLE message (
            endpoint TEXT NOT NULL,
            number   INTEGER NOT NULL,
            subject  TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            due      INTEGER,
            since    INTEGER NOT NULL,
            reason   TEXT NOT NULL,
            redrives INTEGER NOT NULL,
            dead_at  INTEGER,
            PRIMARY KEY (endpoint, number)
        ) WITHOUT ROWID;
        CREATE INDEX message_dead ON message (dead_at) WHERE dead_at IS NOT NULL;
        CREATE TABLE attempt (
            id       INTEGER PRIMARY KEY AUTOINCREMENT,
            endpoint TEXT NOT NULL,
            number   INTEGER NOT NULL,
            event    TEXT NOT NULL,
            attempt  INTEGER NOT NULL,
            time     INTEGER NOT NULL,
            duration INTEGER NOT NULL,
            status   INTEGER,
            reason   TEXT NOT NULL,
            address  TEXT NOT NULL,
            request  TEXT NOT NULL,
            response TEXT NOT NULL
        );
        CREATE INDEX attempt_by_endpoint ON attempt (endpoint, id);
        CREATE TABLE registration (
            name     TEXT PRIMARY KEY,
            document TEXT NOT NULL,
            by       TEXT NOT NULL,
            at       INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE secret (
            subscriber TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            text       TEXT NOT NULL,
            until      INTEGER,
            PRIMARY KEY (subscriber, created_at)
        ) WITHOUT ROWID;
        """
    ]

    static func migrate(_ database: Database) throws(StoreError) {
        let found = try database.userVersion
        if found > migrations.count { throw .newerVersion(found: found, known: migrations.count) }
        for (i, migration) in migrations.enumerated().dropFirst(found) {
            try database.execute("BEGIN IMMEDIATE; \(migration) PRAGMA user_version = \(i + 1); COMMIT")
        }
    }
}
