import Bytes
import Documents

/// Reads `access/*.yaml`.
struct AccessFile {
    private let roleNames: [String]
    private let catalog: OperationCatalog
    private let patterns: OperationPatterns
    private let reader: DocumentReader
    /// Each rule id and where it was first given.
    private var places: [String: String] = [:]
    private var rules: [Rule] = []
    /// What conditions may ask for, by operation.
    private var schemas: [String: ConditionSchema] = [:]

    static func read(
        _ files: PolicyFiles, roles: [Role], catalog: OperationCatalog, reader: DocumentReader
    ) -> [Rule] {
        var access = AccessFile(roleNames: roles.map(\.name), catalog: catalog, reader: reader)
        for file in files.access { access.read(file) }
        return access.rules
    }

    private init(roleNames: [String], catalog: OperationCatalog, reader: DocumentReader) {
        self.roleNames = roleNames
        self.catalog = catalog
        patterns = OperationPatterns(catalog)
        self.reader = reader
    }

    private mutating func read(_ file: PolicyFiles.File) {
        var found: [Rule] = []
        reader.read(file.text, file: file.path) { map in
            _ = map.required("rules")?.list(minCount: 1) { value in
                value.mapping { rule in found.append(read(rule, file: file)) }
            }
        }
        rules += found
    }

    private mutating func read(_ map: DocumentMapping, file: PolicyFiles.File) -> Rule {
        let id = readID(map, file: file)
        let description = map.string("description", default: "")
        let effect = map.required("effect").flatMap(Self.effect) ?? .forbid
        let principals = readPrincipals(map)
        let operations = map.required("operations").map { patterns.read($0) } ?? []
        var rule = Rule(
            id: id, description: description, effect: effect, principals: principals, operations: operations,
            place: "\(file.name):\(map.mark.line)", mark: map.mark)
        rule.mode = map.optional("mode")?.choice(Rule.Mode.self, what: "mode") ?? .enforce
        rule.sites = map.required("sites").map { scope($0, "sites") } ?? .own
        rule.workCenters = map.optional("work_centers").map { scope($0, "work centers") } ?? .any
        rule.warehouses = map.optional("warehouses").map { scope($0, "warehouses", allowsOwn: false) } ?? .any
        rule.productCategories =
            map.optional("product_categories").map { scope($0, "product categories", allowsOwn: false) } ?? .any
        rule.obligations = map.mapping("obligations") { ObligationsReader.read($0, roles: roleNames) } ?? Obligations()
        if let value = map.optional("condition") {
            rule.condition = Condition.read(value, operations: operations, schemas: &schemas, catalog: catalog)
        }
        readValidity(map, &rule)
        rule.owner = map.string("owner")
        rule.ticket = map.string("ticket")
        rule.help = map.string("help")
        rule.disclosure = map.optional("disclosure")?.choice(Disclosure.self, what: "disclosure")
        checkAttributes(rule, map)
        if effect == .forbid, rule.obligations != Obligations(auditBody: rule.obligations.auditBody) {
            map.optional("obligations")?.report("a rule that forbids can oblige to 'audit_body' only")
        }
        return rule
    }

    private mutating func readID(_ map: DocumentMapping, file: PolicyFiles.File) -> String {
        guard let value = map.required("id"), let id = value.string() else { return "" }
        if !PolicyName.isValid(id) { value.report("rule id \(value.node.kind) must be \(PolicyName.rule)") }
        if let first = places[id] {
            value.report("duplicate rule id '\(id)', first in \(first)")
        } else {
            places[id] = "\(file.path):\(value.mark.line)"
        }
        return id
    }

    private static func effect(_ value: DocumentValue) -> Decision.Effect? {
        if value.node.scalar == "permit" {
            value.report("unknown effect 'permit'; it is called 'allow'")
            return nil
        }
        return value.choice(Decision.Effect.self, what: "effect")
    }

    // MARK: Who

    /// `principals`, or `roles` alone, which is the same with nothing else in it.
    private func readPrincipals(_ map: DocumentMapping) -> RulePrincipals {
        var principals = RulePrincipals()
        guard let value = map.optional("principals") else {
            if let roles = map.required("roles") { readRoles(roles, &principals) }
            return principals
        }
        if let roles = map.optional("roles") { roles.report("'roles' stands in 'principals' when there is one") }
        return value.mapping { (map: DocumentMapping) -> RulePrincipals? in
            if let roles = map.optional("roles") { readRoles(roles, &principals) }
            principals.accounts =
                map.list("service_accounts") { $0.mapping { RolesFile.account($0) } }
                + map.list("certificates") { $0.mapping { RolesFile.certificate($0) } }
            principals.issuers = Set(map.strings("issuers"))
            let isNobody = principals.roleBits == 0 && principals.accounts.isEmpty && !principals.isEveryone
            if isNobody, map.optional("roles") == nil, principals.issuers.isEmpty {
                map.report("say who: 'roles', 'service_accounts', 'certificates' or 'issuers'")
            }
            // Issuers alone: whoever comes from them.
            if isNobody, map.optional("roles") == nil { principals.isEveryone = true }
            return principals
        } ?? principals
    }

    private func readRoles(_ value: DocumentValue, _ principals: inout RulePrincipals) {
        if value.node.scalar == "*" {
            principals.isEveryone = true
            return
        }
        var bits: UInt64 = 0
        _ = value.list(minCount: 1) { element -> String? in
            guard let name = element.string() else { return nil }
            guard let index = roleNames.firstIndex(of: name) else {
                element.report("unknown role \(element.node.kind)" + Suggestion.clause(for: name, among: roleNames))
                return nil
            }
            if bits >> UInt64(index) & 1 == 1 { element.report("role '\(name)' is listed twice") }
            bits |= 1 << UInt64(index)
            return name
        }
        principals.roleBits = bits
    }

    // MARK: Where

    private func scope(_ value: DocumentValue, _ what: String, allowsOwn: Bool = true) -> Rule.Scope {
        switch value.node.content {
        case .scalar("*", _): return .any
        case .scalar("own", _) where allowsOwn: return .own
        case .sequence:
            var listed: [String] = []
            _ = value.list(minCount: 1) { element -> String? in
                guard let name = element.string() else { return nil }
                if name == "*" || name == "own" { element.report("'\(name)' stands alone, not in a list") }
                if listed.contains(name) { element.report("'\(Suggestion.shortened(name))' is listed twice") }
                listed.append(name)
                return name
            }
            return .listed(listed)
        case .scalar, .mapping:
            value.report("expected \"*\", \(allowsOwn ? "own " : "")or a list of \(what), not \(value.node.kind)")
            return .own
        }
    }

    /// A rule that tells resources apart by what nobody knows of them would never hold; one that forbids, never forbid.
    private func checkAttributes(_ rule: Rule, _ map: DocumentMapping) {
        let keys: [(key: String, scope: Rule.Scope, attribute: Resource.Attribute)] = [
            ("work_centers", rule.workCenters, .workCenter), ("warehouses", rule.warehouses, .warehouse),
            ("product_categories", rule.productCategories, .productCategory),
        ]
        for (key, scope, attribute) in keys where scope != .any {
            for name in rule.operations.sorted() {
                if let operation = catalog[name], operation.attributes.contains(attribute) { continue }
                map.optional(key)?.report(
                    "'\(name)' is decided without knowing the \(attribute.rawValue.replacing("_", with: " ")): "
                        + "'\(key)' cannot stand here")
                break
            }
        }
        if !rule.obligations.mask.isEmpty, let name = rule.operations.first(where: { catalog[$0]?.kind == .proxied }) {
            map.optional("obligations")?.report(
                "the answers of '\(name)' are passed on unread: 'mask' cannot stand here")
        }
    }

    // MARK: When

    private func readValidity(_ map: DocumentMapping, _ rule: inout Rule) {
        rule.validFrom = map.optional("valid_from").flatMap(Self.instant)
        rule.validUntil = map.optional("valid_until").flatMap(Self.instant)
        if let from = rule.validFrom, let until = rule.validUntil, until <= from {
            map.optional("valid_until")?.report("must be later than 'valid_from'")
        }
    }

    /// A date, meaning its first moment in UTC, or a date and time with offset.
    private static func instant(_ value: DocumentValue) -> WallInstant? {
        guard let text = value.string() else { return nil }
        let whole = text.utf8.count == 10 ? text + "T00:00:00Z" : text
        if let instant = WallInstant(whole) { return instant }
        value.report("expected a date such as 2026-12-31 or a time such as 2026-12-31T22:00:00+01:00")
        return nil
    }
}
