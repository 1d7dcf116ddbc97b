import Bytes
import Identity
import JSON
import Policy

/// What a change of policy does to callers: who gains and who loses what, found by asking both policies everything at
/// which a decision of either can turn.
package struct PolicyDiff: Sendable {
    package enum Kind: String, Sendable, CaseIterable, Comparable {
        case gains, loses
        /// Allowed by both, with other obligations.
        case obliged = "is obliged otherwise"

        package static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
        private var rank: Int { self == .gains ? 0 : self == .loses ? 1 : 2 }
    }

    /// One caller and one operation.
    package struct Change: Sendable {
        package let kind: Kind
        package let operation: String
        package let caller: String
        /// Roles under the new policy.
        package let roles: [String]
        /// Where, each once; nil for what has no site.
        package fileprivate(set) var sites: [String?]
        /// A question that shows it.
        package let example: Example
    }

    package struct Example: Sendable {
        package let principal: Principal
        package let resource: Resource
        package let input: JSONValue
        package let time: WallInstant
        package let before: Decision
        package let after: Decision
    }

    package let changes: [Change]
    /// Questions that were asked.
    package let caseCount: Int
    /// Where the enumeration is not complete, and why.
    package let omissions: [String]

    /// - Parameters:
    ///   - sites: of the plant, besides those that rules name.
    ///   - now: the time at which the policies are compared, besides those that rules name.
    package init(_ old: PolicySet, _ new: PolicySet, sites: [String], now: WallInstant) {
        var changes: [Key: Change] = [:]
        var order: [Key] = []
        var count = 0
        var omissions: Set<String> = []
        let operations = old.namedOperations.union(new.namedOperations)
        for operation in operations.sorted() {
            let space = CaseSpace([old, new], operation: operation, sites: sites, pairs: true, now: now)
            for omission in space.omissions { omissions.insert("\(operation): \(omission)") }
            // With the callers themselves, so that none has the address of one that is gone.
            var held: [ObjectIdentifier: (RoleSet, RoleSet, Principal)] = [:]
            space.forEach { one in
                count += 1
                let id = ObjectIdentifier(one.principal)
                let roles =
                    held[id] ?? (old.roles(of: one.principal), new.roles(of: one.principal), one.principal)
                held[id] = roles
                let before = old.decide(
                    roles.0, principal: one.principal, operation: operation, resource: one.resource, input: one.input,
                    facts: one.facts)
                let after = new.decide(
                    roles.1, principal: one.principal, operation: operation, resource: one.resource, input: one.input,
                    facts: one.facts)
                guard let kind = Self.kind(before, after) else { return }
                let key = Key(kind: kind, operation: operation, caller: one.caller)
                if changes[key] == nil {
                    order.append(key)
                    changes[key] = Change(
                        kind: kind, operation: operation, caller: one.caller, roles: new.names(of: roles.1), sites: [],
                        example: Example(
                            principal: one.principal, resource: one.resource, input: one.input, time: one.facts.now,
                            before: before, after: after))
                }
                if changes[key]?.sites.contains(one.resource.site) == false {
                    changes[key]?.sites.append(one.resource.site)
                }
            }
        }
        caseCount = count
        self.omissions = omissions.sorted()
        self.changes = Self.withoutEchoes(order.compactMap { changes[$0] })
            .sorted { ($0.kind, $0.operation, $0.caller) < ($1.kind, $1.operation, $1.caller) }
    }

    private struct Key: Hashable {
        let kind: Kind
        let operation: String
        let caller: String
    }

    private static func kind(_ before: Decision, _ after: Decision) -> Kind? {
        switch (before.canBePermitted, after.canBePermitted) {
        case (false, true): .gains
        case (true, false): .loses
        case (true, true): before.obligations == after.obligations ? nil : .obliged
        case (false, false): nil
        }
    }

    /// What a pair of roles gains or loses because one of the two does is said once, of the one.
    private static func withoutEchoes(_ changes: [Change]) -> [Change] {
        let single = Dictionary(grouping: changes.filter { !$0.caller.contains(" and ") }) {
            Key(kind: $0.kind, operation: $0.operation, caller: $0.caller)
        }
        return changes.filter { change in
            let parts = change.caller.components(separatedBy: " and ")
            guard parts.count == 2 else { return true }
            return !parts.contains { part in
                let known = single[Key(kind: change.kind, operation: change.operation, caller: part)] ?? []
                return known.contains { Set($0.sites).isSuperset(of: change.sites) }
            }
                && single[Key(kind: change.kind, operation: change.operation, caller: "anybody with a valid token")]
                    == nil
        }.filter { change in
            change.caller == "anybody with a valid token"
                || single[Key(kind: change.kind, operation: change.operation, caller: "anybody with a valid token")]
                    == nil
        }
    }
}

extension Decision {
    /// Allowed, or allowed once a certificate, a fresh token or a consent is there.
    package var canBePermitted: Bool {
        if case .need = cause { return true }
        return isPermitted
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}

// MARK: - As text and as JSON

extension PolicyDiff {
    package var text: String {
        var lines: [String] = []
        for change in changes {
            let sites = change.sites.map { $0 ?? "no site" }.joined(separator: ", ")
            lines.append("\(change.kind.rawValue): \(change.caller) — \(change.operation) — at \(sites)")
            let example = change.example
            lines.append(
                "    example: claims \(JSONValue.object(example.principal.claims).text), issuer \(example.principal.issuer)"
                    + (example.principal.clientID.map { ", client \($0)" } ?? ""))
            lines.append(
                "             resource \(example.resource.json.text), input \(example.input.text), at \(example.time.rfc3339)"
            )
            lines.append("    before:  \(Self.words(example.before))")
            lines.append("    after:   \(Self.words(example.after))")
        }
        if changes.isEmpty { lines.append("no caller gains or loses anything") }
        for omission in omissions { lines.append("not complete: \(omission)") }
        lines.append(
            "\(caseCount) cases compared, \(count(.gains)) gains, \(count(.loses)) losses, "
                + "\(count(.obliged)) other obligations")
        return lines.joined(separator: "\n")
    }

    package func count(_ kind: Kind) -> Int { changes.count { $0.kind == kind } }

    private static func words(_ decision: Decision) -> String {
        let obligations = decision.obligations.words
        return "\(decision.effect.rawValue), \(decision.reason)"
            + (obligations.isEmpty ? "" : "; obliges to \(obligations.joined(separator: ", "))")
    }

    package var json: JSONValue {
        [
            "cases": JSONValue(caseCount), "complete": .bool(omissions.isEmpty),
            "omissions": .array(omissions.map { .string($0) }),
            "changes": .array(
                changes.map { change in
                    [
                        "kind": .string(change.kind.rawValue), "operation": .string(change.operation),
                        "caller": .string(change.caller), "roles": .array(change.roles.map { .string($0) }),
                        "sites": .array(change.sites.map { $0.map { .string($0) } ?? .null }),
                        "example": [
                            "issuer": .string(change.example.principal.issuer),
                            "client_id": change.example.principal.clientID.map { .string($0) } ?? .null,
                            "claims": .object(change.example.principal.claims),
                            "resource": change.example.resource.json, "input": change.example.input,
                            "time": .string(change.example.time.rfc3339),
                            "before": .string(Self.words(change.example.before)),
                            "after": .string(Self.words(change.example.after)),
                        ],
                    ]
                }),
        ]
    }
}
