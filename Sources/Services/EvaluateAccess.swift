import Bytes
import Contracts
import Identity
import JSON
import Policy

/// `access.evaluate`: other applications of the plant ask the gateway's policy. (OpenID AuthZEN Authorization API 1.0)
///
/// `action.name` is an operation and `action.properties` its input; `resource.properties` has `site`, `work_center`,
/// `warehouse` and `product_category`; `subject.id` is the `sub`, and `subject.properties` its claims, with `issuer` and
/// `client_id` besides. `context.client_certificate` says that the subject came with one. Who may ask is a matter of the
/// policy itself, for each site.
struct EvaluateAccess: ReadService {
    let operation = "access.evaluate"
    let endpoints: Set = ["evaluation", "evaluations"]

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let body = request.input.body
        guard let policy = request.call.policy else {
            throw ServiceStop(.refused, Problem(.notImplemented, "there is no policy to ask"))
        }
        let wanted = body["evaluations"]?.array ?? []
        // AuthZEN §7.1: without evaluations it is a single one.
        if request.endpoint == "evaluation" || wanted.isEmpty {
            let question = try Self.question(JSONValue.object(JSONObject()), body)
            let (resource, decision) = try authorize(question, request)
            return ReadResult(
                json: answer(question, policy, request), records: [], resource: resource, decision: decision)
        }
        var answers: [JSONValue] = []
        var last: (Resource, Decision)?
        let semantic = body["options"]?["evaluations_semantic"]?.string ?? "execute_all"
        for one in wanted {
            let question = try Self.question(one, body)
            last = try authorize(question, request)
            let answer = answer(question, policy, request)
            answers.append(answer)
            let isPermitted = answer["decision"]?.bool ?? false
            if semantic == "deny_on_first_deny" && !isPermitted { break }
            if semantic == "permit_on_first_permit" && isPermitted { break }
        }
        return ReadResult(
            json: ["evaluations": .array(answers)], records: [], resource: last?.0 ?? Resource(), decision: last?.1)
    }

    /// One evaluation, its defaults filled in.
    private struct Question {
        let subject: JSONValue
        let action: JSONValue
        let resource: JSONValue
        let context: JSONValue
        let operation: String

        var place: Resource {
            let properties = resource["properties"]
            func text(_ name: String) -> String? { properties?[name]?.string }
            // A site may be the resource itself.
            let itself = resource["type"]?.string == "site" ? resource["id"]?.string : nil
            return Resource(
                site: text("site") ?? itself, workCenter: text("work_center"), warehouse: text("warehouse"),
                productCategory: text("product_category"))
        }
    }

    private static func question(_ one: JSONValue, _ defaults: JSONValue) throws(ServiceStop) -> Question {
        func part(_ name: String) -> JSONValue? { one[name] ?? defaults[name] }
        guard let subject = part("subject"), let action = part("action"), let resource = part("resource"),
            let operation = action["name"]?.string
        else {
            throw .invalid(Violation(pointer: "", "each evaluation needs `subject`, `action` and `resource`"))
        }
        return Question(
            subject: subject, action: action, resource: resource, context: part("context") ?? [:], operation: operation)
    }

    /// Throws where the caller may not ask about the place.
    private func authorize(
        _ question: Question, _ request: ReadRequest
    ) throws(ServiceStop) -> (Resource, Decision) {
        let resource = Resource(site: question.place.site)
        return (resource, try request.authorize(resource))
    }

    private func answer(_ question: Question, _ policy: PolicySet, _ request: ReadRequest) -> JSONValue {
        let principal = Self.principal(question, caller: request.call.caller)
        var facts = RequestFacts(now: request.call.world.host.wall)
        facts.hasClientCertificate = question.context["client_certificate"]?.bool ?? false
        let decision = policy.decide(
            policy.roles(of: principal), principal: principal, operation: question.operation,
            resource: question.place, input: question.action["properties"] ?? [:], facts: facts)
        // Consent is given for requests to the gateway; elsewhere nobody could ask for it.
        let isPermitted = decision.isPermitted && decision.obligations.secondPerson.isEmpty
        var context: JSONObject = ["policy": .string(String(policy.digest.prefix(16)))]
        if decision.disclosure != .operation {
            context["rule"] = decision.rule.map { .string($0) } ?? .null
            context["reason"] = .string(decision.reason)
        }
        let obligations = decision.obligations.words
        if !obligations.isEmpty { context["obligations"] = .array(obligations.map { .string($0) }) }
        return ["decision": .bool(isPermitted), "context": .object(context)]
    }

    /// The subject as if it had come with these claims. Its issuer is that of who asks, unless it is said.
    private static func principal(_ question: Question, caller: String) -> Principal {
        let properties = question.subject["properties"]?.object ?? JSONObject()
        let asking = caller.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init)
        return Principal(
            subject: question.subject["id"]?.string ?? "", issuer: properties["issuer"]?.string ?? asking ?? "",
            clientID: properties["client_id"]?.string, claims: properties, expires: WallInstant(nanoseconds: .max),
            authentication: .bearer(keyID: nil, algorithm: .es256))
    }
}
