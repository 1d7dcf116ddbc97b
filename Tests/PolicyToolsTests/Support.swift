import Bytes
import Documents
import Identity
import JSON
import Policy

let noon = WallInstant(seconds: 1_795_000_000)

/// An operation of a plant with a quantity, and one without.
let catalog = OperationCatalog(
    ["order.confirm", "order.release", "order.read", "stock.read"].map { PolicyOperation($0) }
        + [PolicyOperation("proxy.web", kind: .proxied, attributes: [], input: .proxied)])

func checksum(_ bytes: [UInt8]) -> String { "\(bytes.count)-\(bytes.reduce(0) { $0 &* 31 &+ Int($1) })" }

/// A policy of these rules over the roles operator, supervisor and auditor, which callers have by the claim `roles`, and
/// the service mes.
func policy(_ rules: String, roles more: String = "") throws -> PolicySet {
    var roles = "roles:\n"
    for name in ["operator", "supervisor", "auditor"] {
        roles += "  \(name): {description: d, any: [{claim: roles, contains: \(name)}]}\n"
    }
    roles += "  mes: {description: d, service: true, any: [{client_id: mes, issuer: https://i}]}\n" + more
    return try PolicySet.load(
        files: [("roles.yaml", roles), ("access/t.yaml", "rules:\n" + rules)], catalog: catalog, digest: checksum)
}

func caller(_ roles: String..., site: String? = nil) -> Principal {
    var claims: JSONObject = ["roles": .array(roles.map { .string($0) })]
    if let site { claims["site"] = .string(site) }
    return Principal(
        subject: "anna", issuer: "https://i", claims: claims, expires: WallInstant(nanoseconds: .max),
        authentication: .bearer(keyID: nil, algorithm: .es256))
}
