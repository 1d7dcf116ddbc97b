import Documents
import Policy

/// What came of the cases of a policy test, and what of the policy they tried.
package struct PolicyTestRun: Sendable {
    package let caseCount: Int
    /// Each case that did not come out as expected, with its place.
    package let failures: [DocumentError]
    /// Rules, and those of them that applied in some case.
    package let rules: [Rule]
    package let coveredRules: Set<String>
    /// Each clause of a condition must be seen to hold and to fail: both ways of all clauses, and those seen.
    package let clauseWays: Set<ClauseWay>
    package let coveredWays: Set<ClauseWay>

    package struct ClauseWay: Hashable, Sendable, Comparable {
        package let rule: String
        package let clause: String
        package let holds: Bool

        package static func < (a: Self, b: Self) -> Bool {
            (a.rule, a.clause, a.holds ? 1 : 0) < (b.rule, b.clause, b.holds ? 1 : 0)
        }
    }

    package init(_ cases: [PolicyCase], policy: PolicySet) {
        caseCount = cases.count
        rules = policy.rules
        var failures: [DocumentError] = []
        var covered: Set<String> = []
        var seen: Set<ClauseWay> = []
        for one in cases {
            let derivation = policy.explain(
                one.caller, operation: one.operation, resource: one.resource, input: one.input, facts: one.facts)
            for consideration in derivation.considered {
                if consideration.outcome == .applies { covered.insert(consideration.rule.id) }
                for clause in consideration.clauses {
                    guard let held = clause.held else { continue }
                    seen.insert(ClauseWay(rule: consideration.rule.id, clause: clause.text, holds: held))
                }
            }
            if let why = Self.failure(of: one, derivation.decision) {
                failures.append(DocumentError(one.mark, "\(one.name): \(why)"))
            }
        }
        self.failures = failures
        coveredRules = covered
        var ways: Set<ClauseWay> = []
        for rule in policy.rules {
            for clause in rule.condition?.expression?.clauses ?? [] {
                ways.insert(ClauseWay(rule: rule.id, clause: clause.text, holds: true))
                ways.insert(ClauseWay(rule: rule.id, clause: clause.text, holds: false))
            }
        }
        clauseWays = ways
        coveredWays = seen.intersection(ways)
    }

    private static func failure(of one: PolicyCase, _ decision: Decision) -> String? {
        let got = "\(decision.effect.rawValue), \(decision.reason)"
        if decision.effect != one.expected { return "expected \(one.expected.rawValue), got \(got)" }
        if one.expectsNoRule, let rule = decision.rule { return "expected no rule to decide, got '\(rule)': \(got)" }
        if let rule = one.rule, decision.rule != rule { return "expected rule '\(rule)' to decide, got \(got)" }
        return nil
    }

    // MARK: Report

    /// In percent; 100 where there are none.
    package var ruleCoverage: Double { Self.percent(coveredRules.count, rules.count) }
    package var clauseCoverage: Double { Self.percent(coveredWays.count, clauseWays.count) }

    private static func percent(_ part: Int, _ whole: Int) -> Double {
        whole == 0 ? 100 : Double(part) / Double(whole) * 100
    }

    /// What no case tried, one line each.
    package var uncovered: [String] {
        rules.filter { !coveredRules.contains($0.id) }.map { "\($0.place): no case in which rule '\($0.id)' applies" }
            + clauseWays.subtracting(coveredWays).sorted().map {
                "rule '\($0.rule)': no case in which `\($0.clause)` \($0.holds ? "holds" : "fails")"
            }
    }
}
