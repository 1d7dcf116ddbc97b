import Documents
import Identity

/// One version of the whole policy, checked and compiled. Immutable: a reload makes another one.
package struct PolicySet: Sendable {
    /// SHA-256 over all files and their names, in hexadecimal. Goes into every audit entry.
    package let digest: String
    /// The operations that rules may speak of.
    package let operations: Set<String>
    package let roles: [Role]
    /// In the order of files and lines.
    package let rules: [Rule]

    private let table: [String: OperationRules]
    private let fingerprint: UInt64

    /// The rules for one operation.
    private struct OperationRules: Sendable {
        var forbids: [Rule] = []
        var permits: [Rule] = []
    }

    /// Reads and checks all files.
    ///
    /// - Parameters:
    ///   - files: `…/roles.yaml` and `…/access/NAME.yaml`; anything else is an error, because a policy that nobody
    ///     reads is worse than none.
    ///   - operations: everything the gateway can be asked to do.
    ///   - digest: SHA-256 in hexadecimal.
    /// - Throws: everything that is wrong in any file.
    package static func load(
        files: [(path: String, text: String)], operations: Set<String>, digest: ([UInt8]) -> String
    ) throws(DocumentErrors) -> PolicySet {
        let reader = DocumentReader()
        let sorted = PolicyFiles(files, reader: reader)
        let roles = RolesFile.read(sorted, reader: reader)
        let rules = AccessFile.read(sorted, roles: roles, operations: operations, reader: reader)
        try reader.finish()
        return PolicySet(
            digest: digest(sorted.digestInput), operations: operations, roles: roles, rules: rules)
    }

    private init(digest: String, operations: Set<String>, roles: [Role], rules: [Rule]) {
        self.digest = digest
        self.operations = operations
        self.roles = roles
        self.rules = rules
        var table: [String: OperationRules] = [:]
        for operation in operations { table[operation] = OperationRules() }
        for rule in rules {
            for operation in rule.operations {
                switch rule.effect {
                case .permit: table[operation]?.permits.append(rule)
                case .forbid: table[operation]?.forbids.append(rule)
                }
            }
        }
        self.table = table
        // FNV-1a, 64 bits.
        fingerprint = digest.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0100_0000_01B3 }
    }

    /// The caller's roles. Derive them once per token and policy, and keep them with the caller.
    package func roles(of principal: Principal) -> RoleSet {
        var bits: UInt64 = 0
        for (index, role) in roles.enumerated() where role.isHeld(by: principal) { bits |= 1 << UInt64(index) }
        return RoleSet(bits: bits, fingerprint: fingerprint)
    }

    /// The names of the roles, in the order of the file.
    package func names(of roles: RoleSet) -> [String] {
        guard roles.fingerprint == fingerprint else { return [] }
        return self.roles.indices.filter { roles.bits >> UInt64($0) & 1 == 1 }.map { self.roles[$0].name }
    }

    /// Whether the caller may do the operation on this resource.
    package func decide(
        _ roles: RoleSet, principal: Principal, operation: String, resource: Resource
    ) -> Decision {
        guard roles.fingerprint == fingerprint else { return Decision(denied: .staleRoles) }
        guard let rules = table[operation] else { return Decision(denied: .unknownOperation) }
        if let forbid = Self.forbid(rules, roles, principal, resource) {
            return Decision(effect: .forbid, rule: forbid.id, obligations: forbid.obligations)
        }
        return Self.permit(rules, roles) { $0.covers(resource, for: principal) }
    }

    /// Whether there can be a resource on which the caller may do the operation: asked before the record is known.
    ///
    /// Exact: it permits if and only if `decide` permits for some site and work center.
    package func gate(_ roles: RoleSet, principal: Principal, operation: String) -> Decision {
        guard roles.fingerprint == fingerprint else { return Decision(denied: .staleRoles) }
        guard let rules = table[operation] else { return Decision(denied: .unknownOperation) }
        // What forbids a resource without any attribute forbids all of them.
        var forbidding = Self.forbid(rules, roles, principal, Resource())
        let decision = Self.permit(rules, roles) { permit in
            permit.sites.hasPlace(ownClaims: .site, of: principal) { site in
                permit.workCenters.hasPlace(ownClaims: .workCenter, of: principal) { workCenter in
                    let resource = Resource(site: site, workCenter: workCenter)
                    guard let forbid = Self.forbid(rules, roles, principal, resource) else { return true }
                    forbidding = forbidding ?? forbid
                    return false
                }
            }
        }
        if !decision.isPermitted, let forbidding {
            return Decision(effect: .forbid, rule: forbidding.id, obligations: forbidding.obligations)
        }
        return decision
    }

    private static func forbid(
        _ rules: OperationRules, _ roles: RoleSet, _ principal: Principal, _ resource: Resource
    ) -> Rule? {
        for rule in rules.forbids where rule.speaks(of: roles) && rule.covers(resource, for: principal) { return rule }
        return nil
    }

    /// The first permitting rule that covers the question decides; the obligations of all that do add up.
    private static func permit(
        _ rules: OperationRules, _ roles: RoleSet, covers: (Rule) -> Bool
    ) -> Decision {
        var deciding: String?
        var obligations = Obligations()
        var others = false
        for rule in rules.permits where rule.speaks(of: roles) {
            if covers(rule) {
                deciding = deciding ?? rule.id
                if rule.obligations.auditBody { obligations.auditBody = true }
            } else {
                others = true
            }
        }
        guard let deciding else { return Decision(denied: others ? .otherResources : .noRule) }
        return Decision(effect: .permit, rule: deciding, obligations: obligations)
    }
}
