import Bytes
import Contracts
import Documents
import Events
import Foundation
import Identity
import Policy

/// Looks at everything that a configuration names, without starting anything: policies, contracts, keys, certificates,
/// secrets. What is wrong with a file is said where the configuration names it; what is wrong in a policy or a
/// contract, where it stands there.
package struct ConfigurationCheck {
    /// All that is wrong, by file and line. Empty: the gateway can start.
    package var errors: [DocumentError] { DocumentErrors(found).errors }
    /// What is allowed and unwise, each with its place.
    package var warnings: [DocumentError] { DocumentErrors(doubts).errors }
    /// What was loaded, in one line.
    package private(set) var summary = ""

    let now: WallInstant
    let environment: [String: String]
    var configuration = Configuration()
    /// The configuration's nodes, for places.
    var root: DocumentNode
    private var found: [DocumentError] = []
    private var doubts: [DocumentError] = []

    /// Certificates that expire sooner are warned of.
    static let expiryWarning = Nanoseconds.hours(24 * 30)

    /// - Parameters:
    ///   - file: the configuration file.
    ///   - environment: of the process, for secrets and for `ODOO_…`.
    package static func run(
        file: String, environment: [String: String], now: WallInstant
    ) -> ConfigurationCheck {
        var check = ConfigurationCheck(file: file, environment: environment, now: now)
        guard let bytes = FileManager.default.contents(atPath: file) else {
            check.report("no such file, or not readable", at: check.root.mark)
            return check
        }
        guard let text = String(data: bytes, encoding: .utf8) else {
            check.report("not UTF-8", at: check.root.mark)
            return check
        }
        check.run(text, file: file)
        return check
    }

    private init(file: String, environment: [String: String], now: WallInstant) {
        root = DocumentNode(mark: DocumentMark(file: file, line: 1, column: 1), content: .mapping([]))
        self.environment = environment
        self.now = now
    }

    private mutating func run(_ text: String, file: String) {
        if let node = try? Document.parse(text, file: file) { root = node }
        let (read, errors) = ConfigurationReader.readWhatIsThere(text: text, file: file, environment: environment)
        configuration = read
        if let errors { found += errors.errors }

        let (contracts, catalog) = loadContracts()
        let policy = loadPolicy(catalog)
        if let policy {
            compare(policy)
            checkSubscribers(policy)
        }
        let keyCount = checkIdentity()
        checkListeners()
        checkSecrets()
        summary =
            "\(file): good. \(counted(configuration.listeners, "listener")), "
            + "\(counted(configuration.identity.issuers, "issuer")) with \(keyCount) keys, "
            + "\(counted(policy?.roles ?? [], "role")), \(counted(policy?.rules ?? [], "rule")), "
            + "\(counted(contracts?.contracts ?? [], "business operation")), "
            + "\(counted(configuration.routes, "route")), \(counted(configuration.limits, "limit")), "
            + "\(counted(configuration.sites, "site")); "
            + (configuration.odoo.url.map { "Odoo at \($0)" }
                ?? "the built-in Odoo \(configuration.odoo.sandboxVersion)")
    }

    private func counted<T>(_ list: [T], _ name: String) -> String {
        "\(list.count) \(name)\(list.count == 1 ? "" : "s")"
    }

    // MARK: - Reporting

    mutating func report(_ message: String, at mark: DocumentMark) { found.append(DocumentError(mark, message)) }

    mutating func warn(_ message: String, at mark: DocumentMark) { doubts.append(DocumentError(mark, message)) }

    /// Where the configuration names this text as a value; its beginning when it does not, as for defaults.
    func place(of text: String) -> DocumentMark {
        func search(_ node: DocumentNode) -> DocumentMark? {
            switch node.content {
            case .scalar(text, _): return node.mark
            case .scalar: return nil
            case .sequence(let elements):
                for element in elements { if let mark = search(element) { return mark } }
            case .mapping(let members):
                for (_, value) in members { if let mark = search(value) { return mark } }
            }
            return nil
        }
        return search(root) ?? root.mark
    }

    /// The bytes of a file that the configuration names; reports where it does when there are none.
    mutating func bytes(_ path: String) -> [UInt8]? {
        var isDirectory = ObjCBool(false)
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        if isThere, !isDirectory.boolValue, let data = FileManager.default.contents(atPath: path) { return Array(data) }
        let why = !isThere ? "no such file" : isDirectory.boolValue ? "is a directory" : "may not be read by this user"
        let advice = !isThere && path.hasPrefix("certs/dev/") ? "; `millgate keys dev` makes it" : ""
        report("\(path): \(why)\(advice)", at: place(of: path))
        return nil
    }

    // MARK: - Policies and contracts

    /// The `.yaml` files of a directory; anything else there is an error, because nobody reads it.
    private mutating func texts(in directory: String) -> [(path: String, text: String)] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            report("\(directory): no such directory", at: place(of: configuration.policies))
            return []
        }
        return names.sorted().filter { $0.hasSuffix(".yaml") }.compactMap { text("\(directory)/\($0)") }
    }

    private mutating func text(_ path: String) -> (path: String, text: String)? {
        guard let data = FileManager.default.contents(atPath: path) else {
            report("\(path): no such file, or not readable", at: place(of: configuration.policies))
            return nil
        }
        if let text = String(data: data, encoding: .utf8) { return (path, text) }
        report("not UTF-8", at: DocumentMark(file: path, line: 1, column: 1))
        return nil
    }

    /// The contracts, and the names of all operations that there would be if everything were right: what is wrong in
    /// one file is not said again of each that refers to it.
    private mutating func loadContracts() -> (ContractSet?, OperationCatalog) {
        let files = texts(in: configuration.policies + "/services")
        var routes = Set(configuration.routes.map(\.operation))
        if case .sequence(let entries)? = root["routes"]?.content {
            for route in entries {
                if let name = route["name"]?.scalar { routes.insert("proxy." + name) }
            }
        }
        let events = loadEvents()
        do throws(DocumentErrors) {
            let contracts = try ContractSet.load(files: files)
            return (contracts, OperationCatalog(contracts: contracts, events: events, proxied: routes))
        } catch {
            found += error.errors
            // Each contract is in a file named after its operation.
            let names = files.compactMap { $0.path.split(separator: "/").last?.dropLast(5) }.map(String.init)
            var operations: [PolicyOperation] = [.redrive]
            for name in names where name.contains(".") { operations.append(PolicyOperation(name)) }
            for name in events { operations.append(PolicyOperation(name)) }
            for name in routes { operations.append(PolicyOperation(name, kind: .proxied)) }
            return (nil, OperationCatalog(operations))
        }
    }

    /// The operations by which policies speak of events.
    private mutating func loadEvents() -> Set<String> {
        do throws(DocumentErrors) {
            return try EventFiles.load(configuration.policies + "/events").catalogue.operations
        } catch {
            found += error.errors
            // Each event is in a file named after it.
            let names = texts(in: configuration.policies + "/events").compactMap {
                $0.path.split(separator: "/").last?.dropLast(5)
            }
            return Set(names.map { EventDefinition.operation(String($0)) })
        }
    }

    /// Who gets webhooks; a directory that may be missing.
    private mutating func checkSubscribers(_ policy: PolicySet) {
        let directory = configuration.policies + "/subscribers"
        guard Files.exists(directory), let events = try? EventFiles.load(configuration.policies + "/events") else {
            return
        }
        do throws(DocumentErrors) {
            _ = try SubscriberFiles(configuration: configuration, catalogue: events.catalogue, policy: policy)
                .load(texts(in: directory))
        } catch {
            found += error.errors
        }
    }

    private mutating func loadPolicy(_ catalog: OperationCatalog) -> PolicySet? {
        var files = texts(in: configuration.policies + "/access")
        if let roles = text(configuration.policies + "/roles.yaml") { files.append(roles) }
        if Files.exists(configuration.policies + "/bundle.yaml"),
            let bundle = text(configuration.policies + "/bundle.yaml")
        {
            files.append(bundle)
        }
        do throws(DocumentErrors) {
            return try PolicySet.load(files: files, catalog: catalog, digest: { _ in "" })
        } catch {
            found += error.errors
            return nil
        }
    }

    /// Names that the configuration and the policies must have in common.
    private mutating func compare(_ policy: PolicySet) {
        let roles = policy.roles.map(\.name)
        for (index, limit) in configuration.limits.enumerated() {
            let node = element(of: "limits", named: limit.name, index)
            for role in limit.roles where !roles.contains(role) {
                report("unknown role '\(role)'" + Suggestion.clause(for: role, among: roles), at: mark(role, in: node))
            }
            // Odoo's methods are no list that a name could be looked up in.
            for pattern in limit.operations
            where pattern != "*" && !pattern.hasSuffix(".*") && !RPCOperation.isOperation(pattern) {
                if policy.operations.contains(pattern) { continue }
                report(
                    "unknown operation '\(pattern)'" + Suggestion.clause(for: pattern, among: policy.operations),
                    at: mark(pattern, in: node))
            }
            for pattern in limit.operations where pattern.hasSuffix(".*") && !RPCOperation.isOperation(pattern) {
                if policy.operations.contains(where: { $0.hasPrefix(pattern.dropLast()) }) { continue }
                report("'\(pattern)' matches no operation", at: mark(pattern, in: node))
            }
        }
        for account in configuration.odoo.accounts {
            for role in account.roles where !roles.contains(role) {
                report("unknown role '\(role)'" + Suggestion.clause(for: role, among: roles), at: place(of: role))
            }
        }
        let sites = configuration.sites.map(\.name)
        for rule in policy.rules {
            guard case .listed(let names) = rule.sites else { continue }
            for name in names where !sites.contains(name) {
                warn(
                    "rule '\(rule.id)' (\(rule.place)) speaks of site '\(name)', which is not configured"
                        + Suggestion.clause(for: name, among: sites),
                    at: root["sites"]?.mark ?? root.mark)
            }
        }
        for (index, route) in configuration.routes.enumerated() where route.access == .token {
            let operation = route.operation
            // A rule that forbids the operation says that its author knows the route and wants it shut.
            if policy.rules.contains(where: { $0.operations.contains(operation) }) { continue }
            if route.kind == .rpc {
                if policy.rules.contains(where: { $0.operations.contains(where: RPCOperation.isOperation) }) {
                    continue
                }
            }
            warn(
                "no rule speaks of '\(operation)': every request of route '\(route.name)' is refused",
                at: mark(route.path, in: element(of: "routes", named: route.name, index)))
        }
    }

    private func element(of key: String, named name: String, _ index: Int) -> DocumentNode {
        guard case .sequence(let elements)? = root[key]?.content else { return root }
        return elements.first { $0["name"]?.scalar == name } ?? root[key] ?? root
    }

    private func mark(_ text: String, in node: DocumentNode) -> DocumentMark {
        var copy = self
        copy.root = node
        return copy.place(of: text)
    }
}
