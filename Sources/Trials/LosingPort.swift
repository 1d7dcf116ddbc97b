import Bytes
import JSON
import Limits
import Odoo
import Services
import Synchronization

/// An Odoo that does what it is told, and whose answers to it never arrive.
///
/// What services prepare before they book is answered (absolute writes, the `create` of a wizard or of a counted quant):
/// where such an answer is lost they give up, nothing is booked, and the same key may be sent again.
final class LosingPort: OdooPort {
    private let odoo: any OdooPort
    private let count = Mutex(0)

    /// Calls that were carried out and whose answers were thrown away.
    var lost: Int { count.withLock { $0 } }

    /// Methods whose answers arrive all the same: those, and a read of another kind.
    private static let answered: Set = ["write", "create", "set_qty_producing", "get_metadata"]

    init(_ odoo: any OdooPort) { self.odoo = odoo }

    func version(deadline: MonotonicInstant?) async throws(OdooError) -> OdooVersion {
        try await odoo.version(deadline: deadline)
    }

    func call(
        _ call: OdooCall, admission: AdmissionClass, deadline: MonotonicInstant?
    ) async throws(OdooError) -> JSONValue? {
        let result = try await odoo.call(call, admission: admission, deadline: deadline)
        if call.isRead || Self.answered.contains(call.method) { return result }
        // The addon says the second time what it said the first; that one was lost.
        if call.model == OdooAddon.model, call.method != "perform" || result?["again"]?.bool == true { return result }
        count.withLock { $0 += 1 }
        throw OdooError(.closedWithoutAnswer)
    }
}
