import Identity
import JSON
import Odoo
import Policy

/// May this script call this method of this model, on these fields: a pure function of the call and its caller.
struct RPCFirewall {
    /// What was decided, and on what.
    struct Verdict {
        let operation: String
        let scope: RPCScope
        let decision: Decision
        /// Why the call is not made; nil when it is.
        let refusal: RPCFault?
        /// Fields that the caller must not see in the answer.
        var masked: Set<String> { decision.obligations.mask }
    }

    let policy: PolicySet

    func judge(_ call: RPCCall, roles: RoleSet, principal: Principal, facts: RequestFacts) -> Verdict {
        let operation = RPCOperation.name(model: call.model, method: call.method)
        let scope = RPCScope(call)
        let input = scope.json(of: call)
        // A call may touch any record of any site: rules for some sites do not speak of it.
        let decision = policy.decide(
            roles, principal: principal, operation: operation, resource: Resource(), input: input, facts: facts)
        return Verdict(
            operation: operation, scope: scope, decision: decision,
            refusal: Self.refusal(decision, scope, operation))
    }

    private static func refusal(_ decision: Decision, _ scope: RPCScope, _ operation: String) -> RPCFault? {
        guard decision.isPermitted else {
            let told = decision.problem(operation: operation).detail ?? "this is not allowed to you"
            return .forbidden("\(operation): \(told)")
        }
        // Its program would be judged by nobody.
        if scope.isOfAddon {
            return .forbidden("\(operation): the addon's requests are the gateway's own; call the methods themselves")
        }
        if !decision.obligations.secondPerson.isEmpty {
            return .forbidden(
                "\(operation): a second person must approve this, which only the services under /v1 can ask for")
        }
        if scope.access != .read, scope.ids.count > RPCRecords.countMax {
            return .forbidden(
                "\(operation): names more than \(RPCRecords.countMax) records; send them in several calls")
        }
        // What is hidden in answers would show in what a search finds, and must not be overwritten blindly.
        if let field = scope.touched(of: decision.obligations.mask) {
            return .forbidden("\(operation): the field '\(field)' is not yours to search, group, sort or set by")
        }
        return nil
    }
}
