import Bytes

/// How far Odoo's changes were read, and in which state each record was seen last: so that a change is told once, and
/// none is missed over a restart.
package final class WatchStore: Sendable {
    /// A record as it was seen last.
    package struct Seen: Sendable, Hashable {
        package var id: Int
        package var state: String
        /// What was produced, as a decimal number; empty where that says nothing.
        package var produced: String
        /// The end of the event log then: what was told of it later is news.
        package var log: Int64

        package init(id: Int, state: String, produced: String = "", log: Int64 = 0) {
            self.id = id
            self.state = state
            self.produced = produced
            self.log = log
        }

        /// Whether nothing of it has changed, whenever it was seen.
        package func isSame(as other: Seen) -> Bool { state == other.state && produced == other.produced }
    }

    /// Where reading goes on: Odoo's times, as text.
    package struct Cursor: Sendable, Hashable {
        /// Changes from before it were read.
        package var changed: String
        /// When watching began: what was made before and not seen is none of ours.
        package var began: String
        /// The end of the event log when the last whole reading began.
        package var log: Int64

        package init(changed: String, began: String, log: Int64) {
            self.changed = changed
            self.began = began
            self.log = log
        }
    }

    private let thread: DatabaseThread

    package init(directory: String) throws(StoreError) {
        try Files.makeDirectory(directory)
        let path = directory + "/watch.sqlite3"
        try Files.createPrivate(path)
        thread = try DatabaseThread("watch", commits: true) { () throws(StoreError) in
            let database = try Database(path: path, mode: .readWrite)
            let found = try database.userVersion
            if found > 2 { throw .newerVersion(found: found, known: 2) }
            if found == 0 {
                try database.execute(
                    """
                    BEGIN IMMEDIATE;
                    CREATE TABLE cursor (model TEXT PRIMARY KEY, changed TEXT NOT NULL, began TEXT NOT NULL) WITHOUT ROWID;
                    CREATE TABLE seen (model TEXT NOT NULL, id INTEGER NOT NULL, state TEXT NOT NULL, produced TEXT NOT NULL,
                        PRIMARY KEY (model, id)) WITHOUT ROWID;
                    PRAGMA user_version = 1;
                    COMMIT
                    """)
            }
            if found < 2 {
                try database.execute(
                    """
                    BEGIN IMMEDIATE;
                    ALTER TABLE cursor ADD COLUMN log INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE seen ADD COLUMN log INTEGER NOT NULL DEFAULT 0;
                    PRAGMA user_version = 2;
                    COMMIT
                    """)
            }
            return database
        }
    }

    package func cursor(_ model: String) async throws(StoreError) -> Cursor? {
        try await thread.perform { database throws(StoreError) in
            try database.query("SELECT changed, began, log FROM cursor WHERE model = ?1", [.text(model)]) { row in
                Cursor(changed: row.text(0), began: row.text(1), log: row.integer(2))
            }.first
        }
    }

    package func seen(_ model: String, _ ids: [Int]) async throws(StoreError) -> [Int: Seen] {
        try await thread.perform { database throws(StoreError) in
            var found: [Int: Seen] = [:]
            for id in ids {
                let row = try database.query(
                    "SELECT state, produced, log FROM seen WHERE model = ?1 AND id = ?2",
                    [.text(model), .integer(Int64(id))]
                ) { row in Seen(id: id, state: row.text(0), produced: row.text(1), log: row.integer(2)) }
                if let seen = row.first { found[id] = seen }
            }
            return found
        }
    }

    /// Keeps what was seen, and the cursor, in one transaction.
    package func save(_ model: String, _ seen: [Seen], cursor: Cursor?) async throws(StoreError) {
        try await thread.perform { database throws(StoreError) in
            for one in seen {
                try database.run(
                    "INSERT OR REPLACE INTO seen (model, id, state, produced, log) VALUES (?1, ?2, ?3, ?4, ?5)",
                    [
                        .text(model), .integer(Int64(one.id)), .text(one.state), .text(one.produced), .integer(one.log),
                    ])
            }
            if let cursor {
                try database.run(
                    "INSERT OR REPLACE INTO cursor (model, changed, began, log) VALUES (?1, ?2, ?3, ?4)",
                    [.text(model), .text(cursor.changed), .text(cursor.began), .integer(cursor.log)])
            }
        }
    }

    package func close() async { await thread.close() }
}
