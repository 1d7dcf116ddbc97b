import Synchronization

/// The newest record of each model that Odoo is known to have made for the gateway.
///
/// Ids come from a sequence of PostgreSQL: what is made by a call that is sent later has a larger one. So who looks for what
/// such a call has made need not look further back, however many records others make in an hour.
final class NewestRecords: Sendable {
    private let newest = Mutex<[String: Int]>([:])

    /// Zero where nothing was made since the start.
    func id(of model: String) -> Int { newest.withLock { $0[model] ?? 0 } }

    func note(_ id: Int, of model: String) {
        newest.withLock { $0[model] = max($0[model] ?? 0, id) }
    }
}
