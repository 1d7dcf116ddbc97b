import Bytes
import JSON
import Limits
import Odoo

/// Calls to Odoo, as the services need them. The production one is `OdooCaller`.
package protocol OdooPort: Sendable {
    /// The version of Odoo that answers.
    func version(deadline: MonotonicInstant?) async throws(OdooError) -> OdooVersion
    /// The call's result; nil is the success of a method that returns nothing. The error says what is known of the
    /// effect (`OdooError.outcome`).
    func call(
        _ call: OdooCall, admission: AdmissionClass, deadline: MonotonicInstant?
    ) async throws(OdooError) -> JSONValue?
}
