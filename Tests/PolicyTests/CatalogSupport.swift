import Bytes
import Documents
import Identity
import JSON
import Policy

/// Noon on the day on which the tests play.
let noon = RequestFacts(now: WallInstant(seconds: 1_795_000_000))

extension PolicySet {
    /// A policy over operations of which everything is known.
    static func load(
        files: [(path: String, text: String)], operations: Set<String>, digest: ([UInt8]) -> String
    ) throws(DocumentErrors) -> PolicySet {
        let catalog = OperationCatalog(
            operations.map { PolicyOperation($0, kind: $0.hasPrefix("proxy.") ? .proxied : .governed) })
        return try load(files: files, catalog: catalog, digest: digest)
    }

    func decide(_ roles: RoleSet, principal: Principal, operation: String, resource: Resource) -> Decision {
        decide(roles, principal: principal, operation: operation, resource: resource, facts: noon)
    }

    func gate(_ roles: RoleSet, principal: Principal, operation: String) -> Decision {
        gate(roles, principal: principal, operation: operation, facts: noon)
    }
}
