import Bytes
import Contracts
import Documents
import Foundation
import Identity
import JSON
import Policy

let knownOperations: Set<String> = [
    "product.read", "work-center.read", "production-order.read", "inventory.read", "production-order.create",
    "production-order.release", "production-order.confirm", "operation.read", "proxy.odoo-web",
    "proxy.odoo-rpc", "proxy.odoo-database",
]

/// Events of the catalogue, as rules speak of them.
let eventOperations: Set<String> = {
    let names = try? FileManager.default.contentsOfDirectory(atPath: repository.appending(path: "policies/events").path)
    return Set(
        (names ?? []).compactMap { $0.hasSuffix(".yaml") && $0 != "types.yaml" ? "event." + $0.dropLast(5) : nil })
}()

/// Not a hash: the length and the sum are enough to see that something changed.
func checksum(_ bytes: [UInt8]) -> String { "\(bytes.count)-\(bytes.reduce(0) { $0 &* 31 &+ Int($1) })" }

func caller(
    _ claims: JSONObject = [:], subject: String = "anna", issuer: String = "https://id.millgate.example",
    client: String? = nil, authentication: Principal.Authentication = .bearer(keyID: nil, algorithm: .es256)
) -> Principal {
    Principal(
        subject: subject, issuer: issuer, clientID: client, claims: claims, expires: WallInstant(seconds: 0),
        authentication: authentication)
}

/// A caller with one role from its token and one site.
func staff(_ role: String, site: String = "plant-1") -> Principal {
    caller(["roles": [.string(role)], "site": .string(site)])
}

extension PolicySet {
    /// A policy of these rules over the roles a, b and c, which callers have by the claim `roles`.
    static func rules(_ rules: String) throws -> PolicySet {
        var roles = "roles:\n"
        for name in ["a", "b", "c"] {
            roles += "  \(name):\n    description: d\n    any: [{claim: roles, contains: \(name)}]\n"
        }
        return try load(
            files: [("roles.yaml", roles), ("access/t.yaml", "rules:\n" + rules)], operations: knownOperations,
            digest: checksum)
    }

    /// The policy that is shipped.
    static func shipped() throws -> PolicySet {
        try load(files: shippedFiles(), catalog: shippedCatalog(), digest: checksum)
    }

    /// What the shipped contracts and routes make of operations.
    static func shippedCatalog() throws -> OperationCatalog {
        let folder = repository.appending(path: "policies/services")
        var files: [(path: String, text: String)] = []
        for url in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
            files.append(("policies/services/\(url.lastPathComponent)", try String(contentsOf: url, encoding: .utf8)))
        }
        return OperationCatalog(
            contracts: try ContractSet.load(files: files), events: eventOperations,
            proxied: ["proxy.odoo-web", "proxy.odoo-rpc", "proxy.odoo-database"])
    }

    func effect(_ caller: Principal, _ operation: String, _ site: String?, _ workCenter: String? = nil) -> Bool {
        decide(
            roles(of: caller), principal: caller, operation: operation,
            resource: Resource(site: site, workCenter: workCenter)
        ).isPermitted
    }

    func opens(_ caller: Principal, _ operation: String) -> Bool {
        gate(roles(of: caller), principal: caller, operation: operation).isPermitted
    }
}

let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

func shippedFiles() throws -> [(path: String, text: String)] {
    let root = repository.appending(path: "policies")
    var files = [(path: "policies/roles.yaml", text: try text(root.appending(path: "roles.yaml")))]
    for url in try FileManager.default.contentsOfDirectory(
        at: root.appending(path: "access"), includingPropertiesForKeys: nil)
    {
        files.append(("policies/access/\(url.lastPathComponent)", try text(url)))
    }
    return files
}

private func text(_ url: URL) throws -> String { try String(contentsOf: url, encoding: .utf8) }
