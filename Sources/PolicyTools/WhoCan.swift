import Bytes
import JSON
import Policy

/// Who may do an operation, and where.
package struct WhoCan: Sendable {
    package struct Line: Sendable {
        package let caller: String
        package let roles: [String]
        /// Nil for what has no site.
        package let site: String?
        /// Only where the caller belongs.
        package let isOwn: Bool
        /// Whether it holds for every input, time and resource that conditions can tell apart.
        package let isAlways: Bool
        /// Rules that decide, and conditions that must hold.
        package let rules: [String]
        package let conditions: [String]
        /// Rules that forbid it in some of these cases.
        package let exceptions: [String]
        package let obligations: [String]
    }

    package let operation: String
    package let lines: [Line]
    package let omissions: [String]

    private struct Found {
        var allowed = 0
        var asked = 0
        var rules: [String] = []
        var exceptions: [String] = []
        var obligations: [String] = []
        var roles: [String] = []
    }

    /// - Parameters:
    ///   - sites: only these; empty for all that are known.
    ///   - known: sites of the plant.
    package init(_ policy: PolicySet, operation: String, sites: [String], known: [String], now: WallInstant) {
        self.operation = operation
        let space = CaseSpace([policy], operation: operation, sites: known + sites, pairs: false, now: now)
        omissions = space.omissions
        struct Key: Hashable {
            let caller: String
            let site: String?
            let isAtHome: Bool
        }
        var found: [Key: Found] = [:]
        var order: [Key] = []
        space.forEach { one in
            if !sites.isEmpty, one.resource.site.map(sites.contains) != true { return }
            let isAtHome = one.principal.claims["site"]?.string == one.resource.site && one.resource.site != nil
            let key = Key(caller: one.caller, site: one.resource.site, isAtHome: isAtHome)
            if found[key] == nil { order.append(key) }
            var entry = found[key] ?? Found()
            let roles = policy.roles(of: one.principal)
            let decision = policy.decide(
                roles, principal: one.principal, operation: operation, resource: one.resource, input: one.input,
                facts: one.facts)
            entry.asked += 1
            entry.roles = policy.names(of: roles)
            if decision.canBePermitted {
                entry.allowed += 1
                if let rule = decision.rule, !entry.rules.contains(rule) { entry.rules.append(rule) }
                for word in decision.obligations.words where !entry.obligations.contains(word) {
                    entry.obligations.append(word)
                }
            } else if decision.cause == .rule, let rule = decision.rule, !entry.exceptions.contains(rule) {
                entry.exceptions.append(rule)
            }
            found[key] = entry
        }
        lines = order.compactMap { key -> Line? in
            guard let entry = found[key], entry.allowed > 0 else { return nil }
            // Where somebody from anywhere may, the one at home is not worth a line.
            if key.isAtHome, let abroad = found[Key(caller: key.caller, site: key.site, isAtHome: false)],
                abroad.allowed == entry.allowed
            {
                return nil
            }
            let conditions = policy.rules.filter { entry.rules.contains($0.id) }.map(Self.conditions).filter {
                $0 != ""
            }
            return Line(
                caller: key.caller, roles: entry.roles, site: key.site, isOwn: key.isAtHome,
                isAlways: entry.allowed == entry.asked, rules: entry.rules, conditions: conditions,
                exceptions: entry.exceptions, obligations: entry.obligations)
        }
    }

    /// What must hold for a rule besides caller and site; empty for nothing.
    private static func conditions(_ rule: Rule) -> String {
        var words: [String] = []
        switch rule.workCenters {
        case .any: break
        case .own: words.append("at the own work center")
        case .listed(let names): words.append("at work center \(names.joined(separator: " or "))")
        }
        if case .listed(let names) = rule.warehouses { words.append("in warehouse \(names.joined(separator: " or "))") }
        if case .listed(let names) = rule.productCategories {
            words.append("for goods of \(names.joined(separator: " or "))")
        }
        if let condition = rule.condition?.source { words.append(condition) }
        return words.joined(separator: " and ")
    }

    package var text: String {
        var out = [operation]
        if lines.isEmpty { out.append("  nobody") }
        for site in Self.unique(lines.map(\.site)) {
            out.append("  at \(site ?? "no site")")
            for line in lines where line.site == site {
                var words = ["    \(line.caller)"]
                if line.isOwn { words.append("whose own site it is") }
                words.append("by \(line.rules.joined(separator: ", "))")
                if !line.isAlways, !(line.conditions.isEmpty && !line.exceptions.isEmpty) {
                    words.append(
                        "when \(line.conditions.isEmpty ? "in force" : line.conditions.joined(separator: " or "))")
                }
                if !line.exceptions.isEmpty { words.append("but for \(line.exceptions.joined(separator: ", "))") }
                if !line.obligations.isEmpty { words.append("with \(line.obligations.joined(separator: "; "))") }
                out.append(words.joined(separator: "  "))
            }
        }
        for omission in omissions { out.append("not complete: \(omission)") }
        return out.joined(separator: "\n")
    }

    package var json: JSONValue {
        [
            "operation": .string(operation), "complete": .bool(omissions.isEmpty),
            "who": .array(
                lines.map { line in
                    [
                        "caller": .string(line.caller), "roles": .array(line.roles.map { .string($0) }),
                        "site": line.site.map { .string($0) } ?? .null, "own_site_only": .bool(line.isOwn),
                        "always": .bool(line.isAlways), "rules": .array(line.rules.map { .string($0) }),
                        "conditions": .array(line.conditions.map { .string($0) }),
                        "exceptions": .array(line.exceptions.map { .string($0) }),
                        "obligations": .array(line.obligations.map { .string($0) }),
                    ]
                }),
        ]
    }

    private static func unique(_ sites: [String?]) -> [String?] {
        var all: [String?] = []
        for site in sites where !all.contains(site) { all.append(site) }
        return all
    }
}
