import Bytes
import Expressions
import Identity
import JSON

/// One question to the policy, while it is answered. An object, because it is handed on a dozen times for each answer.
final class Question {
    /// What a rule says to a question.
    enum Verdict {
        /// It holds.
        case yes
        /// It speaks of something else: another place, another time, another issuer.
        case no
        /// It would hold, but for its condition.
        case condition
        /// It could hold: its condition asks for what is not known yet.
        case possible
    }

    let policy: PolicySet
    let roles: RoleSet
    let principal: Principal
    let resource: Resource
    /// Nil while it is not known.
    let input: JSONValue?
    let facts: RequestFacts
    /// Whether any resource will do.
    let isAnywhere: Bool
    /// The name, and the patterns under which its rules stand.
    let names: [String]
    private let values = ConditionValues()

    init(
        policy: PolicySet, roles: RoleSet, principal: Principal, names: [String], resource: Resource,
        input: JSONValue?, facts: RequestFacts, isAnywhere: Bool = false
    ) {
        self.policy = policy
        self.roles = roles
        self.principal = principal
        self.names = names
        self.resource = resource
        self.input = input
        self.facts = facts
        self.isAnywhere = isAnywhere
    }

    /// For a rule whose site fits and that speaks of the caller, issuers aside.
    func verdict(_ rule: Rule, at resource: Resource) -> Verdict {
        guard rule.coversInside(resource, for: principal) else { return .no }
        return verdict(rule)
    }

    /// The same without looking at the resource.
    func verdict(_ rule: Rule) -> Verdict {
        guard applies(rule) else { return .no }
        guard rule.condition != nil else { return .yes }
        switch outcome(rule) {
        case .holds: return .yes
        case .fails, .error: return .condition
        case .unknown: return .possible
        }
    }

    /// Whether a rule whose site fits and that speaks of the caller, issuers aside, surely forbids.
    ///
    /// A condition that cannot be evaluated never allows and always forbids: what is not known is not safe.
    func forbids(_ rule: Rule, at resource: Resource) -> Bool {
        guard rule.coversInside(resource, for: principal), applies(rule) else { return false }
        guard rule.condition != nil else { return true }
        switch outcome(rule) {
        case .holds, .error: return true
        case .fails, .unknown: return false
        }
    }

    private func applies(_ rule: Rule) -> Bool {
        if !rule.principals.issuers.isEmpty, !rule.principals.issuers.contains(principal.issuer) { return false }
        return rule.isTimeless || rule.isValid(at: facts.now)
    }

    // MARK: Conditions

    private func compiled(_ rule: Rule) -> Condition.Compiled? {
        for name in names {
            if let found = rule.condition?.byOperation[name] { return found }
        }
        return nil
    }

    func outcome(_ rule: Rule) -> Condition.Outcome {
        // A rule stands in the table of an operation only when its condition was compiled for it.
        guard let compiled = compiled(rule) else { return .error }
        if compiled.usesInput && input == nil || compiled.usesResource && isAnywhere { return .unknown }
        guard let bindings = bindings(compiled.schema) else { return .error }
        do throws(EvaluationError) {
            return try compiled.expression.holds(bindings) ? .holds : .fails
        } catch {
            return .error
        }
    }

    /// Nil when the input is not what the schema says: then nothing can be said.
    private func bindings(_ schema: ConditionSchema) -> ExpressionBindings? {
        if let known = values.known { return known }
        var bindings = ExpressionBindings(for: schema.environment)
        bindings.values[ConditionSchema.Slot.principal.rawValue] = ConditionSchema.principal(
            principal, roles: policy.names(of: roles))
        if let input {
            guard let value = schema.input(input.isNull ? [:] : input) else { return nil }
            bindings.values[ConditionSchema.Slot.input.rawValue] = value
        }
        bindings.values[ConditionSchema.Slot.resource.rawValue] = schema.resource(resource)
        bindings.values[ConditionSchema.Slot.environment.rawValue] = ConditionSchema.environment(facts)
        values.known = bindings
        return bindings
    }

    /// Each part of a rule's condition, and whether it held.
    func clauses(of rule: Rule) -> [Decision.Clause] {
        guard let compiled = compiled(rule) else { return [] }
        let clauses = compiled.expression.clauses
        guard !(compiled.usesInput && input == nil), let bindings = bindings(compiled.schema) else {
            return clauses.map { Decision.Clause(text: $0.text, held: nil) }
        }
        return zip(clauses, compiled.expression.verdicts(bindings)).map { clause, verdict in
            switch verdict {
            case .held: Decision.Clause(text: clause.text, held: true)
            case .failed: Decision.Clause(text: clause.text, held: false)
            case .error: Decision.Clause(text: clause.text, held: nil)
            }
        }
    }
}

/// The values of a question, made when the first condition asks for them.
private final class ConditionValues {
    var known: ExpressionBindings?
}

extension Rule {
    /// Whether `body` is true for one place that the rule covers.
    func hasPlace(for principal: Principal, where body: (Resource) -> Bool) -> Bool {
        sites.hasPlace(ownClaims: .site, of: principal) { site in
            workCenters.hasPlace(ownClaims: .workCenter, of: principal) { workCenter in
                warehouses.hasPlace(ownClaims: .none, of: principal) { warehouse in
                    productCategories.hasPlace(ownClaims: .none, of: principal) { category in
                        body(
                            Resource(
                                site: site, workCenter: workCenter, warehouse: warehouse, productCategory: category))
                    }
                }
            }
        }
    }
}
