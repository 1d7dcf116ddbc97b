import Bytes
import Documents
import Identity

/// One version of the whole policy, checked and compiled. Immutable: a reload makes another one. An object, because a copy of
/// what it holds is a dozen references to be counted.
package final class PolicySet: Sendable {
    /// SHA-256 over all files and their names, in hexadecimal. Goes into every audit entry.
    package let digest: String
    /// The operations that rules may speak of.
    package let catalog: OperationCatalog
    package let roles: [Role]
    /// In the order of files and lines.
    package let rules: [Rule]
    package let settings: BundleSettings

    private let table: [String: OperationEntry]
    /// Role bits with those that each role inherits, by index.
    private let closures: [UInt64]
    private let fingerprint: UInt64
    let claimNames: Set<String>
    /// A condition looks at claims whose names are not known.
    let usesAllClaims: Bool
    /// By operation.
    let inputNames: [String: Set<String>]
    /// By operation; none where nothing is told apart.
    let distinctions: [String: Distinctions]

    /// Reads and checks all files.
    ///
    /// - Parameters:
    ///   - files: `…/roles.yaml`, `…/bundle.yaml` and `…/access/NAME.yaml`; anything else is an error, because a policy
    ///     that nobody reads is worse than none.
    ///   - catalog: everything the gateway can be asked to do.
    ///   - digest: SHA-256 in hexadecimal.
    /// - Throws: everything that is wrong in any file.
    package static func load(
        files: [(path: String, text: String)], catalog: OperationCatalog, digest: ([UInt8]) -> String
    ) throws(DocumentErrors) -> PolicySet {
        let reader = DocumentReader()
        let sorted = PolicyFiles(files, reader: reader)
        let roles = RolesFile.read(sorted, reader: reader)
        let settings = BundleSettings.read(sorted, reader: reader)
        let rules = AccessFile.read(sorted, roles: roles, catalog: catalog, reader: reader)
        try reader.finish()
        return PolicySet(
            digest: digest(sorted.digestInput), catalog: catalog, roles: roles, rules: rules, settings: settings)
    }

    private init(
        digest: String, catalog: OperationCatalog, roles: [Role], rules: [Rule], settings: BundleSettings
    ) {
        self.digest = digest
        self.catalog = catalog
        self.roles = roles
        self.rules = rules
        self.settings = settings
        closures = Role.closures(roles)
        claimNames = Self.claimNames(roles, rules)
        usesAllClaims = rules.contains { $0.condition?.usesAllClaims == true }
        inputNames = Self.inputNames(rules)
        distinctions = Distinctions.all(rules)
        let table = Self.table(rules, catalog)
        self.table = table
        // FNV-1a, 64 bits.
        fingerprint = digest.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0100_0000_01B3 }
    }

    /// The rules that speak of an operation, or of an RPC pattern that holds it.
    package func rulesNaming(_ operation: String) -> [Rule] {
        let names = rules(of: operation)?.names ?? []
        return rules.filter { rule in names.contains { rule.operations.contains($0) } }
    }

    /// Every operation that can be asked for by name, and every RPC pattern that rules have.
    package var namedOperations: Set<String> {
        operations.union(rules.flatMap { $0.operations.filter(RPCOperation.isOperation) })
    }

    package var operations: Set<String> { Set(catalog.names) }

    private static func table(_ rules: [Rule], _ catalog: OperationCatalog) -> [String: OperationEntry] {
        var table: [String: OperationRules] = [:]
        for operation in catalog.names { table[operation] = OperationRules() }
        for (number, rule) in rules.enumerated() {
            for operation in rule.operations { table[operation, default: OperationRules()].add(number, rule) }
        }
        var entries: [String: OperationEntry] = [:]
        for (name, rules) in table { entries[name] = OperationEntry([name], [rules]) }
        return entries
    }

    // MARK: Roles

    /// The caller's roles, with all that they inherit. Derive them once per token and policy, and keep them with the
    /// caller.
    package func roles(of principal: Principal) -> RoleSet {
        var bits: UInt64 = 0
        for (index, role) in roles.enumerated() where role.isHeld(by: principal) { bits |= closures[index] }
        return RoleSet(bits: bits, fingerprint: fingerprint)
    }

    /// The roles of these names, with all that they inherit; names that are not known are left out.
    package func roles(named names: some Sequence<String>) -> RoleSet {
        var bits: UInt64 = 0
        for name in names {
            if let index = roles.firstIndex(where: { $0.name == name }) { bits |= closures[index] }
        }
        return RoleSet(bits: bits, fingerprint: fingerprint)
    }

    /// The names of the roles, in the order of the file.
    package func names(of roles: RoleSet) -> [String] {
        guard roles.fingerprint == fingerprint else { return [] }
        return names(ofBits: roles.bits)
    }

    func names(ofBits bits: UInt64) -> [String] {
        self.roles.indices.filter { bits >> UInt64($0) & 1 == 1 }.map { self.roles[$0].name }
    }

    func isCurrent(_ roles: RoleSet) -> Bool { roles.fingerprint == fingerprint }

    // MARK: Rules

    /// The rules of an operation, and the names under which they stand: for an RPC method its own, that of its model and
    /// that of all; nil for what the policy does not know.
    func rules(of operation: String) -> OperationEntry? {
        if let rules = table[operation], !RPCOperation.isOperation(operation) { return rules }
        guard let patterns = RPCOperation.patterns(covering: operation) else { return nil }
        return OperationEntry(patterns, patterns.flatMap { table[$0]?.tables ?? [] })
    }
}

/// Where an operation's rules stand: one object, so that looking them up copies nothing.
final class OperationEntry: Sendable {
    /// The name, and for RPC methods the patterns that hold it.
    let names: [String]
    let tables: [OperationRules]

    init(_ names: [String], _ tables: [OperationRules]) {
        self.names = names
        self.tables = tables
    }
}

/// The rules of one operation, by what they do.
struct OperationRules: Sendable {
    var forbids = RuleIndex()
    var allows = RuleIndex()
    /// In observe mode.
    var observed = RuleIndex()
    /// Whether the answer for a caller can change without a reload: with time, or with what is asked.
    var isConstant = true

    mutating func add(_ number: Int, _ rule: Rule) {
        if !rule.isTimeless || rule.condition?.dependsOnRequest == true { isConstant = false }
        switch (rule.mode, rule.effect) {
        case (.observe, _): observed.add(number, rule)
        case (.enforce, .allow): allows.add(number, rule)
        case (.enforce, .forbid): forbids.add(number, rule)
        }
    }
}
