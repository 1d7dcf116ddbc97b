import Bytes

/// How far Odoo's changes were read, and in which state each record was seen last: so that a change is told once, and
/// none is missed over a restart.
package final class WatchStore: Sendable {
    /// A record as it was seen last.
    package struct Seen: Sendable, Hashable {
        package var id: Int
        package var state: String
        /// What was produced, as a decimal number.
        package var produced: String

        package init(id: Int, state: String, produced: String) {
            self.id = id
            self.state = state
            self.produced = produced
        }
    }

    /// Where reading goes on: Odoo's times, as text.
    package struct Cursor: Sendable, Hashable {
        /// Changes from before it were read.
        package var changed: String
        /// When watching began: what was made before and not seen is none of ours.
        package var began: String

        package init(changed: String, began: String) {
            self.changed = changed
            self.began = began
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
            if found > 1 { throw .newerVersion(found: found, known: 1) }
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
            return database
        }
    }

    package func cursor(_ model: String) async throws(StoreError) -> Cursor? {
        try await thread.perform { database throws(StoreError) in
            try database.query("SELECT changed, began FROM cursor WHERE model = ?1", [.text(model)]) { row in
                Cursor(changed: row.text(0), began: row.text(1))
            }.first
        }
    }

    package func seen(_ model: String, _ ids: [Int]) async throws(StoreError) -> [Int: Seen] {
        try await thread.perform { database throws(StoreError) in
            var found: [Int: Seen] = [:]
            for id in ids {
                let row = try database.query(
                    "SELECT state, produced FROM seen WHERE model = ?1 AND id = ?2",
                    [.text(model), .integer(Int64(id))]
                ) { row in Seen(id: id, state: row.text(0), produced: row.text(1)) }
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
                    "INSERT OR REPLACE INTO seen (model, id, state, produced) VALUES (?1, ?2, ?3, ?4)",
                    [.text(model), .integer(Int64(one.id)), .text(one.state), .text(one.produced)])
            }
            if let cursor {
                try database.run(
                    "INSERT OR REPLACE INTO cursor (model, changed, began) VALUES (?1, ?2, ?3)",
                    [.text(model), .text(cursor.changed), .text(cursor.began)])
            }
        }
    }

    package func close() async { await thread.close() }
}
