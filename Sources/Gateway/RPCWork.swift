import JSON
import Limits
import Odoo
import Services
import Upstream

/// What a script wants of Odoo, allowed and ready to be asked.
enum RPCWork: Sendable {
    case version(OdooCaller)
    /// The id of the user that the caller's calls are made as.
    case user(OdooCaller)
    case call(RPCCall, OdooCaller, RelayProtocol, AdmissionClass, RPCRecords, RPCAudit, ReadCache)

    func perform(traceparent: String) async -> Result<JSONValue?, RPCFault> {
        await CallTrace.$traceparent.withValue(traceparent) { await perform() }
    }

    private func perform() async -> Result<JSONValue?, RPCFault> {
        do throws(OdooError) {
            switch self {
            case .version(let odoo): return .success(try await odoo.versionInfo())
            case .user(let odoo): return .success(JSONValue(try await odoo.user()))
            case .call(let call, let odoo, let wanted, let admission, let records, let audit, let reads):
                guard let holding = await records.hold() else {
                    await audit.busy()
                    return .failure(
                        RPCFault(
                            name: RPCFault.unavailableName, message: "others work on the record; nothing was done"))
                }
                defer { holding.release() }
                // What may change something is on disk before Odoo hears of it.
                guard await audit.intent() else {
                    return .failure(
                        RPCFault(
                            name: RPCFault.unavailableName, message: "the audit log takes no entry; nothing was done"))
                }
                let result: Result<JSONValue?, OdooError>
                do throws(OdooError) {
                    result = .success(try await odoo.relay(call, over: wanted, admission: admission))
                } catch {
                    result = .failure(error)
                }
                // A script does not say what it touches.
                if audit.isWrite { reads.invalidateAll() }
                await audit.finished(result)
                return .success(try result.get())
            }
        } catch {
            return .failure(RPCFault(error))
        }
    }
}
