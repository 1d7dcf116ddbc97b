/// Why a store did not do what it was asked.
package enum StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No space left, or the file or the database may not grow. Nothing was stored; reads go on.
    case diskFull
    /// The files are not what was written. Nothing is repaired silently.
    case corrupt(String)
    /// Another process uses the same directory.
    case busy(String)
    /// The system refused: `errno` and what was tried.
    case io(errno: Int32, doing: String)
    /// More waits to be written than the backlog holds. Nothing was stored; try again later.
    case overloaded
    /// The store was closed.
    case closed
    /// No operation has this id.
    case notFound
    /// The operation cannot go from one state to the other.
    case forbidden(from: OperationState, to: OperationState)
    /// An operation with this id exists already, under another idempotency key.
    case duplicateID
    /// The file was written by a later version of this program.
    case newerVersion(found: Int, known: Int)
    /// Any other complaint of SQLite: extended result code and text.
    case database(code: Int32, message: String)

    /// Whether the store works and only this request was wrong.
    package var isAboutTheRequest: Bool {
        switch self {
        case .notFound, .forbidden, .duplicateID: true
        case .diskFull, .corrupt, .busy, .io, .overloaded, .closed, .newerVersion, .database: false
        }
    }

    package var description: String {
        switch self {
        case .diskFull: "no space left on the disk"
        case .corrupt(let what): "the store is damaged: \(what)"
        case .busy(let what): "\(what) is in use by another process"
        case .io(let number, let doing): "\(doing) failed: \(Files.message(number))"
        case .overloaded: "more waits to be stored than the backlog holds"
        case .closed: "the store is closed"
        case .notFound: "no operation has this id"
        case .forbidden(let from, let to): "an operation that is \(from.rawValue) cannot become \(to.rawValue)"
        case .duplicateID: "an operation with this id exists already"
        case .newerVersion(let found, let known):
            "the file has version \(found), which is newer than the \(known) known here"
        case .database(let code, let message): "SQLite: \(message) (\(code))"
        }
    }
}
