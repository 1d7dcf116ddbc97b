import Events
import JSON
import Odoo
import Store

/// A governed write: which records it works on, and how it is done once.
///
/// `perform` asks the run, in this order: `authorize` on the concrete record, then its guards, then `begin` before
/// anything that changes something is sent. It throws `away` only when it is certain that nothing was booked, and
/// `unknown` where that cannot be known.
protocol WriteService: Sendable {
    /// The contract it fulfils, `production-order.confirm`.
    var operation: String { get }
    /// Endpoints of the contract that it answers.
    var endpoints: Set<String> { get }
    /// The records that nobody else may work on meanwhile, `mrp.production,17`; the first is what the operation is
    /// about.
    func records(_ request: AcceptedRequest) -> [String]
    func perform(_ run: WriteRun) async throws(ServiceStop) -> WriteResult
    /// Finds out what became of an effect that may have been sent, and goes on from there. Nobody else works on the
    /// records; nothing that books may be sent unless it is certain that it was not done.
    func resume(_ run: WriteRun, after steps: [OperationStep]) async throws(ServiceStop) -> WriteResult
}

/// A write that was done.
struct WriteResult: Sendable {
    var status = 200
    let json: JSONValue
    /// In addition to those named before the effect.
    var records: [String] = []
    /// For the journal.
    let text: String
    /// What became true with it: logged in the transaction that calls it applied. Ids and what caused them are filled
    /// in by the runner; names must be among the contract's `events`.
    var events: [BusinessEvent] = []
}

extension WriteService {
    /// `mrp.production,17` of a request with the order in its path.
    static func order(_ request: AcceptedRequest) -> [String] {
        request.id.map { ["\(ProductionOrderRecord.model),\($0)"] } ?? []
    }
}
