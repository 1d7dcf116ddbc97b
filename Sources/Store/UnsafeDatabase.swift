import Bytes
import CSystem

/// A value that SQLite stores.
enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    static func text(orNull text: String?) -> SQLValue { text.map { .text($0) } ?? .null }
    static func time(_ time: WallInstant?) -> SQLValue { time.map { .integer($0.nanoseconds) } ?? .null }
}

/// One connection to an SQLite file. Not Sendable: it lives on its thread.
///
/// Statements are prepared once and kept. Every call that fails says why in a `StoreError`.
final class Database {
    enum Mode { case readWrite, readOnly }

    private let handle: OpaquePointer
    /// By address of the SQL text, which is a literal and so lives as long as the program.
    private var statements: [UnsafePointer<UInt8>: OpaquePointer] = [:]

    /// Opens a file, in write-ahead mode with every commit synced.
    ///
    /// - Parameter busyTimeout: how long SQLite waits for another connection's lock, in milliseconds.
    init(path: String, mode: Mode, busyTimeout: Int32 = 5_000) throws(StoreError) {
        var opened: OpaquePointer?
        let flags =
            mode == .readWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard let opened else { throw .database(code: code, message: "out of memory") }
        handle = opened
        if code != SQLITE_OK { throw failure(code) }
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, busyTimeout)
        if mode == .readWrite {
            try execute("PRAGMA journal_mode = WAL")
            try execute("PRAGMA synchronous = FULL")
            try execute("PRAGMA foreign_keys = ON")
            // A write-ahead log that once grew large is cut back.
            try execute("PRAGMA journal_size_limit = 67108864")
        } else {
            // Opened for writing, because a reader of a write-ahead log must be able to make its index; used for reading.
            try execute("PRAGMA query_only = ON")
        }
    }

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
    }

    /// Whether a transaction is open. SQLite ends one by itself after some errors.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Rows changed by the last statement.
    var changes: Int { Int(sqlite3_changes(handle)) }

    /// Runs SQL that is not worth keeping: pragmas, schema.
    func execute(_ sql: String) throws(StoreError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw failure(code) }
    }

    /// Runs one statement to its end.
    func run(_ sql: StaticString, _ values: [SQLValue] = []) throws(StoreError) {
        _ = try query(sql, values) { _ in () }
    }

    /// Runs one statement and reads its rows.
    func query<R>(
        _ sql: StaticString, _ values: [SQLValue] = [], row: (Row) throws(StoreError) -> R
    ) throws(StoreError) -> [R] {
        let statement = try prepare(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (i, value) in values.enumerated() { try bind(value, to: Int32(i + 1), of: statement) }
        var rows: [R] = []
        while true {
            let code = sqlite3_step(statement)
            switch code {
            case SQLITE_ROW: rows.append(try row(Row(statement: statement)))
            case SQLITE_DONE: return rows
            default: throw failure(code)
            }
        }
    }

    /// The number kept in the file's header for its schema.
    var userVersion: Int {
        get throws(StoreError) {
            try query("PRAGMA user_version") { row throws(StoreError) in Int(row.integer(0)) }.first ?? 0
        }
    }

    private func prepare(_ sql: StaticString) throws(StoreError) -> OpaquePointer {
        if let kept = statements[sql.utf8Start] { return kept }
        var made: OpaquePointer?
        let code = sql.withUTF8Buffer { text in
            text.withMemoryRebound(to: CChar.self) {
                sqlite3_prepare_v3(
                    handle, $0.baseAddress, Int32($0.count), UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
            }
        }
        guard code == SQLITE_OK, let made else { throw failure(code) }
        statements[sql.utf8Start] = made
        return made
    }

    private func bind(_ value: SQLValue, to index: Int32, of statement: OpaquePointer) throws(StoreError) {
        let code: Int32
        switch value {
        case .null:
            code = sqlite3_bind_null(statement, index)
        case .integer(let number):
            code = sqlite3_bind_int64(statement, index, number)
        case .text(let text):
            code = sqlite3_bind_text64(
                statement, index, text, UInt64(text.utf8.count), csystem_sqlite_transient(), UInt8(SQLITE_UTF8))
        case .blob(let bytes):
            // An empty array may have no address, which would bind NULL.
            code =
                bytes.isEmpty
                ? sqlite3_bind_zeroblob(statement, index, 0)
                : sqlite3_bind_blob64(statement, index, bytes, UInt64(bytes.count), csystem_sqlite_transient())
        }
        if code != SQLITE_OK { throw failure(code) }
    }

    private func failure(_ code: Int32) -> StoreError {
        let message = String(cString: sqlite3_errmsg(handle))
        switch code & 0xFF {
        case SQLITE_FULL: return .diskFull
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .corrupt(message)
        case SQLITE_BUSY, SQLITE_LOCKED: return .busy("the database")
        case SQLITE_IOERR, SQLITE_CANTOPEN:
            let number = sqlite3_system_errno(handle)
            if number != 0 { return Files.failure("SQLite: \(message)", number) }
            return .database(code: code, message: message)
        default: return .database(code: sqlite3_extended_errcode(handle), message: message)
        }
    }

    /// One row of a result, while `query` reads it.
    struct Row {
        fileprivate let statement: OpaquePointer

        func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

        func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

        func text(_ column: Int32) -> String {
            String(decoding: blob(column), as: UTF8.self)
        }

        func textOrNil(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

        func blob(_ column: Int32) -> [UInt8] {
            guard let start = sqlite3_column_blob(statement, column) else { return [] }
            let count = Int(sqlite3_column_bytes(statement, column))
            return Array(UnsafeRawBufferPointer(start: start, count: count))
        }
    }
}
