/// The tables of the identity store, one step per version of the file's `user_version`. Times are nanoseconds since 1970.
enum IdentitySchema {
    /// Steps are only ever added: a file in the field has taken those before.
    private static let migrations: [String] = [
        """
        CREATE TABLE revocation (
            key           TEXT PRIMARY KEY,
            kind          TEXT NOT NULL,
            issuer        TEXT,
            value         TEXT NOT NULL,
            issued_before INTEGER,
            expires       INTEGER,
            created_at    INTEGER NOT NULL,
            created_by    TEXT NOT NULL,
            reason        TEXT NOT NULL
        );
        CREATE TABLE account (
            id          TEXT PRIMARY KEY,
            method      TEXT NOT NULL,
            credential  TEXT NOT NULL,
            environment TEXT NOT NULL,
            roles       TEXT NOT NULL,
            scopes      TEXT NOT NULL,
            created_at  INTEGER NOT NULL,
            expires     INTEGER,
            disabled    INTEGER NOT NULL,
            last_used   INTEGER
        );
        CREATE TABLE signing_key (
            kid          TEXT PRIMARY KEY,
            pem          TEXT NOT NULL,
            published_at INTEGER NOT NULL,
            signs_from   INTEGER NOT NULL
        );
        CREATE TABLE assertion (
            client  TEXT NOT NULL,
            jti     TEXT NOT NULL,
            expires INTEGER NOT NULL,
            PRIMARY KEY (client, jti)
        ) WITHOUT ROWID;
        CREATE INDEX assertion_by_end ON assertion (expires);
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
