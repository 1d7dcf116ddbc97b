import Bytes
import Contracts
import HTTP
import Identity
import JSON
import Limits
import Odoo
import Policy
import Server
import Upstream

/// Odoo's own interfaces for scripts: each call is read whole, judged by model, method and field, and made in our name.
///
/// The walk: `relay` → `RPCExchange` gathers the body → `judge` → `RPCWork.perform` (audit intent, Odoo, audit outcome) →
/// `RPCExchange.answered`. Refusals before the call is read are problem documents; after that they are faults as Odoo
/// would write them, because scripts look for those.
extension Worker {
    func relay(_ exchange: Exchange, _ context: RequestContext, _ route: CompiledRoute, path: String) {
        context.isAudited = true
        guard route.access != .closed, let wire = RPCWire(path: path), relay != nil else {
            context.outcome = .refused
            refuse(exchange, .notFound)
            return
        }
        guard exchange.head.method == .post else {
            refuse(exchange, .methodNotAllowed(["POST"]))
            return
        }
        if exchange.head.upgrade {
            refuse(exchange, .upgradeRefused)
            return
        }
        if case .length(let count) = exchange.head.framing, count > route.bodyBytesMax {
            refuse(exchange, Refusal.bodyTooLarge)
            return
        }
        // A script of Odoo's older interfaces cannot send a header: its token stands in the place of the password.
        let mayFollow = route.takesTokenAsPassword && wire.hasPassword
        let hasCertificate = connection(exchange).certificatePrincipal != nil
        if exchange.head.first(.authorization) != nil || hasCertificate || !mayFollow {
            guard identify(exchange, context) != nil else { return }
        }
        let call = RPCExchange(exchange, worker: self, context: context, route: route, wire: wire, path: path)
        exchange.consumer = call
        relayed[call.number] = call
        if exchange.head.framing == .none || exchange.head.framing == .length(0) { call.requestBodyEnded() }
    }

    /// The message is read: who asks, may they, how often.
    func judge(_ message: RPCMessage, _ call: RPCExchange, _ exchange: Exchange) {
        guard let relay else { return }
        switch message.request {
        case .version:
            // Scripts ask it before any login, and it tells no more than that there is an Odoo.
            guard admit(call, exchange, "common.version") else { return }
            note(call, "common.version", isAllowed: true)
            call.run(.version(relay.main))
        case .authenticate(let database, _, let secret):
            guard admit(call, exchange, "common.authenticate") else { return }
            guard database == relay.database, let caller = caller(call, exchange, secret: secret) else {
                // Odoo's own answer to a wrong password (recording 003).
                note(call, "common.authenticate", isAllowed: false)
                call.context.outcome = .refused
                call.answer(false)
                return
            }
            note(call, "common.authenticate", isAllowed: true)
            call.run(.user(relay.caller(for: caller.roleNames)))
        case .call(let wanted):
            guard let caller = caller(call, exchange, secret: wanted.secret) else {
                // Wrong passwords are counted too, by the client's address.
                guard admit(call, exchange, "common.authenticate") else { return }
                call.refuse(.accessDenied())
                return
            }
            guard wanted.database == nil || wanted.database == relay.database else {
                call.refuse(.accessDenied("no such database"))
                return
            }
            judge(wanted, of: caller, call, exchange, relay)
        }
    }

    private func judge(
        _ wanted: RPCCall, of caller: Caller, _ call: RPCExchange, _ exchange: Exchange, _ relay: RPCRelay
    ) {
        let context = call.context
        let verdict = RPCFirewall(policy: context.snapshot.policy).judge(
            wanted, roles: caller.roles, principal: caller.principal, facts: facts(exchange))
        if let observation = verdict.decision.observation {
            metrics.policyObserved(forbids: observation.effect == .forbid)
        }
        context.governed = verdict.operation
        context.governedDecision = verdict.decision
        guard admit(call, exchange, nil) else { return }
        guard auditHasRoom(forWrite: verdict.scope.access != .read) else {
            call.forget()
            refuse(exchange, .auditFull)
            return
        }
        // From here on the entries say what was called.
        context.isAudited = false
        let audit = RPCAudit(self, exchange, call, wanted, verdict, caller)
        if let refusal = verdict.refusal {
            audit.refused(refusal)
            call.refuse(refusal)
            return
        }
        call.run(
            .call(
                wanted, relay.caller(for: caller.roleNames), call.route.relayProtocol, call.route.admission,
                RPCRecords(wanted, verdict.scope, runner, world.host), audit, runner.reads), masking: verdict.masked)
    }

    /// What the request's own audit entry says of a question that no rule is asked about.
    private func note(_ call: RPCExchange, _ name: String, isAllowed: Bool) {
        call.context.governed = RPCOperation.prefix + name
        call.context.governedDecision =
            isAllowed ? Decision(effect: .allow, rule: "rpc-login", obligations: Obligations()) : nil
    }

    /// All limits of the call, by its model and method; answered when one is reached.
    private func admit(_ call: RPCExchange, _ exchange: Exchange, _ common: String?) -> Bool {
        let context = call.context
        let operation = common.map { RPCOperation.prefix + $0 } ?? context.governed ?? RPCOperation.prefix
        let checks = context.snapshot.checks(
            operation: operation, routeName: call.route.name, caller: context.caller)
        if checks.isEmpty { return true }
        // A refusal answers the exchange: nobody else may touch it then.
        exchange.consumer = nil
        guard admit(exchange, context, checks) else {
            call.clientGone()
            return false
        }
        exchange.consumer = call
        return true
    }

    /// The caller of the header, the certificate, or the token in the password's place; nil when there is none.
    private func caller(_ call: RPCExchange, _ exchange: Exchange, secret: String?) -> Caller? {
        if let known = call.context.caller { return known }
        guard call.route.takesTokenAsPassword, let secret, !secret.isEmpty else {
            metrics.tokenRefused()
            return nil
        }
        do throws(TokenError) {
            let token = Array(secret.utf8)
            let found = try caller(of: token.span, exchange)
            call.context.caller = found
            return found
        } catch {
            metrics.tokenRefused()
            return nil
        }
    }
}

extension RPCWire {
    /// Whether credentials stand in the message itself.
    var hasPassword: Bool {
        switch self {
        case .jsonRPC, .xmlRPC: true
        case .callKW, .json2: false
        }
    }
}
