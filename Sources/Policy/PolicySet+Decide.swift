import Bytes
import Identity
import JSON

/// Decisions: pure functions of caller, operation, resource, input and facts.
extension PolicySet {
    /// Whether the caller may do the operation on the resource, with this input.
    package func decide(
        _ roles: RoleSet, principal: Principal, operation: String, resource: Resource, input: JSONValue = .null,
        facts: RequestFacts
    ) -> Decision {
        guard isCurrent(roles) else { return Decision(denied: .staleRoles) }
        guard let entry = rules(of: operation) else { return Decision(denied: .unknownOperation) }
        let question = Question(
            policy: self, roles: roles, principal: principal, names: entry.names, resource: resource, input: input,
            facts: facts)
        return finish(answer(question, entry.tables), question, entry.tables)
    }

    /// Whether there can be a resource on which the caller may do the operation: asked before the record is known.
    ///
    /// It allows if `decide` allows for some site, work center, warehouse and category; and where conditions wait for
    /// an input that is not there yet, if it could.
    ///
    /// - Parameter input: nil while it is not known.
    package func gate(
        _ roles: RoleSet, principal: Principal, operation: String, input: JSONValue? = nil, facts: RequestFacts
    ) -> Decision {
        guard isCurrent(roles) else { return Decision(denied: .staleRoles) }
        guard let entry = rules(of: operation) else { return Decision(denied: .unknownOperation) }
        let question = Question(
            policy: self, roles: roles, principal: principal, names: entry.names, resource: Resource(), input: input,
            facts: facts, isAnywhere: true)
        return finish(answer(question, entry.tables), question, entry.tables)
    }

    /// Whether `gate` with this operation and caller stays the same until the next reload, so that it may be kept.
    package func isConstant(_ operation: String) -> Bool {
        if settings.mode == .observe { return false }
        guard let tables = rules(of: operation)?.tables else { return true }
        return tables.allSatisfy(\.isConstant)
    }

    // MARK: The two questions

    private func answer(_ question: Question, _ tables: [OperationRules]) -> Decision {
        question.isAnywhere ? anywhere(question, tables) : here(question, tables)
    }

    private func here(_ question: Question, _ tables: [OperationRules]) -> Decision {
        if let number = forbidding(question, tables, at: question.resource) { return forbidden(number, question) }
        var best = Int.max
        var obligations = Obligations()
        var nearest = Int.max
        for table in tables {
            table.allows.forEach(question.roles, question.principal, site: question.resource.site) { numbers in
                for number in numbers.plain where number < best {
                    switch question.verdict(rules[number], at: question.resource) {
                    case .yes, .possible:
                        best = number
                        return
                    case .condition: nearest = min(nearest, number)
                    case .no: break
                    }
                }
            }
            table.allows.forEach(question.roles, question.principal, site: question.resource.site) { numbers in
                for number in numbers.obliging {
                    switch question.verdict(rules[number], at: question.resource) {
                    case .yes, .possible:
                        best = min(best, number)
                        obligations.add(rules[number].obligations)
                    case .condition: nearest = min(nearest, number)
                    case .no: break
                    }
                }
            }
        }
        return concluded(best, obligations, nearest, question, tables)
    }

    /// The first allowing rule, by number, or why there is none.
    private func concluded(
        _ best: Int, _ obligations: Obligations, _ nearest: Int, _ question: Question, _ tables: [OperationRules]
    ) -> Decision {
        if best < rules.count {
            var decision = Decision(effect: .allow, rule: rules[best].id, obligations: obligations)
            decision.disclosure = rules[best].disclosure ?? settings.disclosure
            decision.help = rules[best].help
            return decision
        }
        var decision: Decision
        if nearest < rules.count {
            let rule = rules[nearest]
            decision = Decision(denied: .condition, rule: rule.id)
            decision.clauses = question.clauses(of: rule)
            decision.disclosure = rule.disclosure ?? settings.disclosure
            decision.help = rule.help
        } else {
            var speaks = false
            for table in tables {
                table.allows.forEachRule(question.roles, question.principal) { number in
                    if !speaks, rules[number].principals.contains(question.roles, question.principal) { speaks = true }
                }
            }
            decision = Decision(denied: speaks ? .otherResources : .noRule)
            decision.disclosure = settings.disclosure
        }
        if decision.disclosure == .help { decision.rolesThatMay = rolesThatMay(tables) }
        return decision
    }

    private func forbidden(_ number: Int, _ question: Question) -> Decision {
        let rule = rules[number]
        var decision = Decision(denied: .rule, rule: rule.id, obligations: rule.obligations)
        decision.clauses = question.clauses(of: rule)
        decision.disclosure = rule.disclosure ?? settings.disclosure
        decision.help = rule.help
        return decision
    }

    /// The first rule that surely forbids it.
    private func forbidding(
        _ question: Question, _ tables: [OperationRules], at resource: Resource
    ) -> Int? {
        var found = Int.max
        for table in tables {
            table.forbids.forEach(question.roles, question.principal, site: resource.site) { numbers in
                for list in [numbers.plain, numbers.obliging] {
                    for number in list where number < found && question.forbids(rules[number], at: resource) {
                        found = number
                        break
                    }
                }
            }
        }
        return found < rules.count ? found : nil
    }

    private func anywhere(_ question: Question, _ tables: [OperationRules]) -> Decision {
        // What forbids a resource without any attribute forbids all of them.
        var forbidding = forbidding(question, tables, at: Resource())
        var best = Int.max
        var nearest = Int.max
        var obligations = Obligations()
        for table in tables {
            table.allows.forEachRule(question.roles, question.principal) { number in
                let rule = rules[number]
                switch question.verdict(rule) {
                case .no: return
                case .condition:
                    nearest = min(nearest, number)
                    return
                case .yes, .possible: break
                }
                // A rule without obligations behind one that is known to allow adds nothing.
                if best < number, rule.obligations.isEmpty { return }
                let isSomewhere = rule.hasPlace(for: question.principal) { resource in
                    guard let forbid = self.forbidding(question, tables, at: resource) else { return true }
                    forbidding = min(forbidding ?? forbid, forbid)
                    return false
                }
                guard isSomewhere else { return }
                best = min(best, number)
                obligations.add(rule.obligations)
            }
        }
        if best == Int.max, let forbidding { return forbidden(forbidding, question) }
        return concluded(best, obligations, nearest, question, tables)
    }

    // MARK: What follows

    /// Needs that are not met, and what is only observed.
    private func finish(_ made: Decision, _ question: Question, _ tables: [OperationRules]) -> Decision {
        var decision = made
        if decision.isPermitted, !question.isAnywhere || question.input != nil, let need = unmet(decision, question) {
            var refused = Decision(denied: .need(need), rule: decision.rule, obligations: decision.obligations)
            refused.disclosure = decision.disclosure
            refused.help = decision.help
            decision = refused
        }
        if settings.mode == .observe {
            guard !decision.isPermitted else { return decision }
            var passed = Decision(effect: .allow, rule: Self.observedBundle, obligations: Obligations())
            passed.observation = Decision.Observation(effect: .forbid, rule: decision.rule)
            passed.clauses = decision.clauses
            return passed
        }
        for table in tables where !table.observed.isEmpty { observe(&decision, question, table) }
        return decision
    }

    /// What stands for the rule where a bundle in observe mode lets through what it would deny.
    package static let observedBundle = "observe"

    private func unmet(_ decision: Decision, _ question: Question) -> Decision.Need? {
        let obligations = decision.obligations
        if obligations.requiresClientCertificate, !question.facts.hasClientCertificate { return .clientCertificate }
        if let most = obligations.tokenAgeMax {
            guard let signedIn = question.principal.signedIn, question.facts.now - signedIn <= most else {
                return .freshToken(maxAge: most)
            }
        }
        return nil
    }

    private func observe(_ decision: inout Decision, _ question: Question, _ table: OperationRules) {
        var first: Int?
        func look(_ number: Int) {
            let rule = rules[number]
            // Of forbids matter those that would deny what is allowed, and the other way round.
            guard (rule.effect == .forbid) == decision.isPermitted, number < first ?? .max else { return }
            let applies =
                rule.effect == .forbid
                ? question.forbids(rule, at: question.resource)
                : question.verdict(rule, at: question.resource) == .yes
            if applies { first = number }
        }
        table.observed.forEach(question.roles, question.principal, site: question.resource.site) { numbers in
            for number in numbers.plain { look(number) }
            for number in numbers.obliging { look(number) }
        }
        if let first { decision.observation = Decision.Observation(effect: rules[first].effect, rule: rules[first].id) }
    }

    /// Roles that some rule allows the operation to, for callers who may know.
    private func rolesThatMay(_ tables: [OperationRules]) -> [String] {
        names(ofBits: tables.reduce(0) { $0 | $1.allows.roleBits })
    }
}
