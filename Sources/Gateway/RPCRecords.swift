import Bytes
import Odoo
import Services

/// The records that a script's call names, held against the governed services while Odoo works: two who change one record
/// at once make Odoo try again, for up to 17 seconds (recordings 355, 356).
///
/// A call that selects its records by a domain, or creates them, waits for nobody: which ones they are only Odoo knows.
struct RPCRecords: Sendable {
    /// Most records that a call which may change something can name. Default 4,096.
    static let countMax = ServiceRunner.recordsPerCallMax
    /// Longest wait for them. Default 30 s, as long as Odoo itself would go on trying.
    static let waitMax: Nanoseconds = .seconds(30)

    private let records: [String]
    private let runner: ServiceRunner
    private let host: any ServiceHost

    init(_ call: RPCCall, _ scope: RPCScope, _ runner: ServiceRunner, _ host: any ServiceHost) {
        records = scope.access == .read ? [] : scope.ids.map { "\(call.model),\($0)" }
        self.runner = runner
        self.host = host
    }

    /// Nil when others work on them for too long.
    func hold() async -> RecordHolding? {
        await runner.hold(records, until: host.monotonic + Self.waitMax, host: host)
    }
}
