import Bytes
import Identity
import JSON
import Policy

/// Makes the decisions of an audit log again under another policy, and says which would come out otherwise.
package struct PolicyReplay {
    /// Decisions that change in the same way.
    package struct Change: Sendable, Hashable {
        package let operation: String
        package let subject: String
        package let site: String?
        package let before: String
        package let ruleBefore: String?
        package let after: String
        package let ruleAfter: String?
    }

    private struct CallerKey: Hashable {
        let issuer: String
        let subject: String
        let client: String?
        let certificate: String?
        let claims: JSONValue?
    }

    private struct Seen {
        var count: Int
        var firstSequence: Int
    }

    private let policy: PolicySet
    private let warehouses: [String: String]
    private var callers: [CallerKey: (Principal, RoleSet)] = [:]
    private var seen: [Change: Seen] = [:]

    /// Entries of any kind; decisions among them; those that come out the same; those that cannot be made again because
    /// the entry does not hold what the policy asks for.
    package private(set) var entries = 0
    package private(set) var decisions = 0
    package private(set) var unchanged = 0
    package private(set) var undecided = 0
    /// Lines that are no entries.
    package private(set) var unreadable = 0

    /// - Parameter warehouses: the warehouse that each site is; the log names sites.
    package init(_ policy: PolicySet, warehouses: [String: String] = [:]) {
        self.policy = policy
        self.warehouses = warehouses
    }

    /// Takes one line of the log.
    package mutating func take(_ line: [UInt8]) {
        guard let entry = try? JSONValue.parse(line) else {
            unreadable += 1
            return
        }
        entries += 1
        // An intent is said again by its outcome; what nobody was recognised for was decided by no rule.
        guard let kind = entry["kind"]?.string, kind == "decision" || kind == "outcome",
            let operation = entry["operation"]?.string, let before = entry["effect"]?.string,
            let subject = entry["subject"]?.string, let issuer = entry["issuer"]?.string,
            let time = entry["time"]?.string.flatMap({ WallInstant($0) })
        else { return }
        // Refused for another reason than the policy's, under a decision that allowed it.
        decisions += 1
        let (principal, roles) = caller(entry, subject: subject, issuer: issuer)
        let facts = RequestFacts(
            now: time, address: entry["address"]?.string, listener: entry["listener"]?.string,
            hasClientCertificate: entry["mtls"]?.bool ?? false)
        guard let after = decision(entry, operation, principal, roles, facts) else {
            undecided += 1
            return
        }
        // Whether a consent was there was found out later than the decision.
        let isOpen = !after.obligations.secondPerson.isEmpty && (entry["unmet"]?.array ?? []).contains("second person")
        let isAllowed = after.isPermitted && !isOpen
        let effect = isAllowed ? "allow" : "forbid"
        if effect == before {
            unchanged += 1
            return
        }
        let change = Change(
            operation: operation, subject: subject, site: entry["site"]?.string, before: before,
            ruleBefore: entry["rule"]?.string, after: effect, ruleAfter: after.rule)
        let sequence = entry["seq"]?.int ?? 0
        seen[change, default: Seen(count: 0, firstSequence: sequence)].count += 1
    }

    private mutating func caller(_ entry: JSONValue, subject: String, issuer: String) -> (Principal, RoleSet) {
        let key = CallerKey(
            issuer: issuer, subject: subject, client: entry["client_id"]?.string,
            certificate: entry["certificate"]?.string, claims: entry["claims"])
        if let known = callers[key] { return known }
        // A caller by certificate alone has no claims and is its own proof.
        let isCertificate = key.certificate != nil && key.client == nil && key.claims == nil
        let principal = Principal(
            subject: subject, issuer: issuer, tokenID: nil, clientID: key.client,
            claims: key.claims?.object ?? JSONObject(), expires: WallInstant(nanoseconds: .max),
            authentication: isCertificate
                ? .clientCertificate(thumbprint: key.certificate ?? "") : .bearer(keyID: nil, algorithm: .es256),
            certificateThumbprint: key.certificate)
        let made = (principal, policy.roles(of: principal))
        if callers.count < Self.callersMax { callers[key] = made }
        return made
    }

    /// Most callers that are remembered.
    private static let callersMax = 100_000

    /// Nil where the entry does not say enough.
    private func decision(
        _ entry: JSONValue, _ operation: String, _ principal: Principal, _ roles: RoleSet, _ facts: RequestFacts
    ) -> Decision? {
        let kind = policy.catalog[operation]?.kind
        var input: JSONValue = entry["input"] ?? [:]
        if kind == .proxied {
            let target = entry["target"]?.string ?? ""
            input = [
                "method": entry["method"] ?? "", "path": .string(String(target.prefix { $0 != "?" })),
            ]
        }
        let decision: Decision
        if let site = entry["site"]?.string {
            decision = policy.decide(
                roles, principal: principal, operation: operation,
                resource: Resource(
                    site: site, workCenter: entry["work_center"]?.string, warehouse: warehouses[site],
                    productCategory: entry["product_category"]?.string), input: input, facts: facts)
        } else {
            decision = policy.gate(
                roles, principal: principal, operation: operation, input: kind == .proxied ? input : entry["input"],
                facts: facts)
        }
        if kind == .proxied { return decision }
        // A condition that asks for a member which was not recorded says nothing.
        let asked = policy.inputNames(of: operation, rule: decision.rule)
        let isKnown = asked.allSatisfy { input[$0] != nil }
        return isKnown ? decision : nil
    }

    // MARK: Report

    /// What changes, the most frequent first, with the number of the first entry of each kind.
    package var changes: [(change: Change, count: Int, firstSequence: Int)] {
        seen.map { ($0.key, $0.value.count, $0.value.firstSequence) }
            .sorted { ($1.1, $0.2) < ($0.1, $1.2) }
    }

    package var changedCount: Int { seen.values.reduce(0) { $0 + $1.count } }

    package var text: String {
        var lines = changes.map { change, count, first in
            "\(count) × \(change.operation) of \(change.subject)\(change.site.map { " at \($0)" } ?? ""): "
                + "\(change.before) (\(change.ruleBefore ?? "no rule")) becomes \(change.after) "
                + "(\(change.ruleAfter ?? "no rule")); first in entry \(first)"
        }
        lines.append(
            "\(entries) entries, \(decisions) decisions: \(unchanged) stay, \(changedCount) change, "
                + "\(undecided) cannot be told")
        if unreadable > 0 { lines.append("\(unreadable) lines are no entries; run `millgate audit verify`") }
        return lines.joined(separator: "\n")
    }

    package var json: JSONValue {
        [
            "entries": JSONValue(entries), "decisions": JSONValue(decisions), "unchanged": JSONValue(unchanged),
            "changed": JSONValue(changedCount), "undecided": JSONValue(undecided),
            "changes": .array(
                changes.map { change, count, first in
                    [
                        "operation": .string(change.operation), "subject": .string(change.subject),
                        "site": change.site.map { .string($0) } ?? .null, "before": .string(change.before),
                        "rule_before": change.ruleBefore.map { .string($0) } ?? .null,
                        "after": .string(change.after), "rule_after": change.ruleAfter.map { .string($0) } ?? .null,
                        "count": JSONValue(count), "first": JSONValue(first),
                    ]
                }),
        ]
    }
}
