import Bytes
import Documents
import Policy

/// What is allowed in a policy and probably not meant.
package struct PolicyFindings: Sendable {
    /// Each with its place, in the order of the files.
    package let findings: [DocumentError]

    /// - Parameter issuers: whose tokens are accepted; nil where that is not known.
    package init(_ policy: PolicySet, issuers: [String]?, now: WallInstant) {
        var found: [DocumentError] = []
        func note(_ mark: DocumentMark, _ message: String) { found.append(DocumentError(mark, message)) }
        let enforced = policy.rules.filter { $0.mode == .enforce }
        if policy.settings.mode == .observe {
            note(
                DocumentMark(file: "bundle.yaml", line: 1, column: 1),
                "the bundle only observes: nothing is refused by any rule")
        }
        for rule in policy.rules {
            if let until = rule.validUntil, until <= now {
                note(rule.mark, "rule '\(rule.id)' ended at \(until.rfc3339); remove it")
            }
            if let condition = rule.condition?.expression, condition.references.isEmpty {
                note(rule.mark, "the condition of rule '\(rule.id)' is the same for every request")
            }
            if let other = Self.shadow(of: rule, in: policy.rules) {
                note(rule.mark, "rule '\(rule.id)' never matters: '\(other.id)' (\(other.place)) says as much already")
            } else if rule.effect == .allow {
                Self.noteConflicts(rule, enforced.filter { $0.effect == .forbid }, note)
            }
        }
        for (index, role) in policy.roles.enumerated() { Self.note(role, index, policy, issuers, note) }
        for name in policy.catalog.names
        where !enforced.contains(where: { $0.effect == .allow && $0.operations.contains(name) }) {
            // A rule that forbids it by name says that its author wants it shut.
            if enforced.contains(where: { $0.effect == .forbid && $0.operations.contains(name) }) { continue }
            note(DocumentMark(file: "access", line: 1, column: 1), "no rule allows '\(name)' to anybody")
        }
        findings = DocumentErrors(found).errors
    }

    private static func note(
        _ role: Role, _ index: Int, _ policy: PolicySet, _ issuers: [String]?, _ note: (DocumentMark, String) -> Void
    ) {
        let bit = UInt64(1) << UInt64(index)
        let isNamed =
            policy.rules.contains {
                $0.principals.roleBits & bit != 0
                    || $0.obligations.secondPerson.contains { $0.roles.contains(role.name) }
            }
            || policy.roles.contains { $0.inherits.contains(index) }
        let parts = role.place.split(separator: ":")
        let mark = DocumentMark(file: String(parts.first ?? ""), line: parts.last.flatMap { Int($0) } ?? 1, column: 1)
        if !isNamed, role.inherits.isEmpty { note(mark, "no rule speaks of role '\(role.name)'") }
        // People of the admin interface have no token.
        guard let issuers = issuers.map({ $0 + [PolicyOperation.adminIssuer] }) else { return }
        let isHeld = role.conditions.contains { condition in
            switch condition {
            case .claimContains(_, _, let issuer), .claimEquals(_, _, let issuer): issuer.map(issuers.contains) ?? true
            case .client(_, let issuer), .subject(_, let issuer): issuers.contains(issuer)
            case .certificate, .certificateSubject: true
            }
        }
        if !isHeld { note(mark, "nobody has role '\(role.name)': no token of its issuers is accepted here") }
    }

    /// Forbids that take away all of what a rule allows, for some of its operations or for all.
    private static func noteConflicts(
        _ rule: Rule, _ forbids: [Rule], _ note: (DocumentMark, String) -> Void
    ) {
        var taken: [String: Rule] = [:]
        for forbid in forbids where forbid.condition == nil && forbid.isWider(than: rule) {
            for operation in rule.operations where forbid.covers(operation: operation) {
                taken[operation] = taken[operation] ?? forbid
            }
        }
        guard let (_, first) = taken.min(by: { $0.key < $1.key }) else { return }
        if taken.count == rule.operations.count {
            note(rule.mark, "rule '\(rule.id)' never allows anything: '\(first.id)' (\(first.place)) forbids all of it")
        } else {
            let names = taken.keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
            note(rule.mark, "rule '\(rule.id)' allows \(names) in vain: '\(first.id)' (\(first.place)) forbids it")
        }
    }

    /// A rule of the same effect that says all that this one says.
    private static func shadow(of rule: Rule, in rules: [Rule]) -> Rule? {
        for other in rules where other.id != rule.id && other.effect == rule.effect && other.mode == rule.mode {
            guard other.isWider(than: rule), rule.operations.allSatisfy({ other.covers(operation: $0) }),
                other.condition == nil || other.condition?.source == rule.condition?.source
            else { continue }
            if rule.effect == .allow, !other.obligations.includes(rule.obligations) { continue }
            // Of two that say the same, the second is the one too many.
            if rule.isWider(than: other), other.operations.allSatisfy({ rule.covers(operation: $0) }),
                rule.condition == nil || rule.condition?.source == other.condition?.source,
                rule.obligations.includes(other.obligations),
                rules.firstIndex(where: { $0.id == rule.id }) ?? 0 < rules.firstIndex(where: { $0.id == other.id }) ?? 0
            {
                continue
            }
            return other
        }
        return nil
    }
}
