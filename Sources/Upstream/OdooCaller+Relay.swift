import Bytes
import JSON
import Limits
import Odoo

/// Which protocol carries a script's call to Odoo.
package enum RelayProtocol: String, Sendable, CaseIterable {
    /// JSON-2 where the server speaks it and every argument has a name there, else JSON-RPC.
    case auto
    case jsonRPC = "jsonrpc"
    /// JSON-2 alone: what it cannot carry is refused.
    case json2
}

/// Scripts' calls in our own name.
extension OdooCaller {
    /// The call's result as its own protocol would have given it; nil is the success of a method that returns nothing.
    package func relay(
        _ call: RPCCall, over wanted: RelayProtocol = .auto, admission: AdmissionClass = .standard,
        deadline: MonotonicInstant? = nil
    ) async throws(OdooError) -> JSONValue? {
        let session = try await establish(admission: admission, deadline: deadline)
        let id = nextID()
        var endpoint = wanted == .jsonRPC ? session.positional : session.endpoint
        if wanted == .json2, !endpoint.isJSON2 {
            throw OdooError(name: "builtins.TypeError", message: "this Odoo does not speak JSON-2")
        }
        var request = endpoint.request(relaying: call, id: id)
        if request == nil, wanted == .auto {
            endpoint = session.positional
            request = endpoint.request(relaying: call, id: id)
        }
        guard let request else {
            throw OdooError(name: "builtins.TypeError", message: "an argument has no name in JSON-2")
        }
        let answer = try await exchange(request, admission: admission, deadline: deadline)
        switch endpoint.result(of: answer, id: id) {
        case .success(let value):
            // JSON-2 answers `create` with a list always; who gave one record expects one id (recordings 043, 308).
            if endpoint.isJSON2, call.createsOne, case .array(let ids)? = value, ids.count == 1 { return ids[0] }
            return value
        case .failure(let error):
            if error.kind == .accessDenied || error.kind == .session { self.session.forget() }
            throw error
        }
    }

    /// What `common.version` answers.
    package func versionInfo(deadline: MonotonicInstant? = nil) async throws(OdooError) -> JSONValue? {
        let id = nextID()
        let answer = try await exchange(OdooJSONRPC.version(id: id), admission: .standard, deadline: deadline)
        switch OdooJSONRPC.result(of: answer, id: id) {
        case .success(let value): return value
        case .failure(let error): throw error
        }
    }

    /// The id of our user: what `common.authenticate` answers.
    package func user(deadline: MonotonicInstant? = nil) async throws(OdooError) -> Int {
        try await establish(admission: .standard, deadline: deadline).user
    }

    /// Whether the server is known to be Odoo 19 or later; true before it is known.
    package var isAtLeast19: Bool { session.current?.version.hasJSON2 ?? true }
}
