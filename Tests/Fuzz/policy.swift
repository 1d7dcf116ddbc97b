// Any text as the roles and the rules of a policy: it loads or is refused, never a crash; and what loads decides.
#if !FUZZ
    import Bytes
    import Documents
    import Identity
    import JSON
    import Policy
#endif

/// The text up to the first zero byte is `roles.yaml`, the rest `access/a.yaml`; without one it is both.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPolicy(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let cut = bytes.firstIndex(of: 0)
    let roles = String(decoding: bytes[..<(cut ?? count)], as: UTF8.self)
    let rules = String(decoding: bytes[(cut.map { $0 + 1 } ?? 0)...], as: UTF8.self)
    let files = [(path: "roles.yaml", text: roles), (path: "access/a.yaml", text: rules)]
    let operations: Set<String> = ["production-order.read", "production-order.confirm", "operation.read"]
    let catalog = OperationCatalog(operations.map { PolicyOperation($0) })
    guard let policy = try? PolicySet.load(files: files, catalog: catalog, digest: { "\($0.count)" }) else {
        return 0
    }
    let facts = RequestFacts(now: WallInstant(seconds: 1_795_000_000))
    let caller = Principal(
        subject: "a", issuer: "b", claims: ["roles": ["a"], "site": "x"], expires: WallInstant(seconds: 0),
        authentication: .bearer(keyID: nil, algorithm: .es256))
    let held = policy.roles(of: caller)
    for operation in operations {
        let gate = policy.gate(held, principal: caller, operation: operation, facts: facts)
        for site in [nil, "x", "y"] {
            let decision = policy.decide(
                held, principal: caller, operation: operation, resource: Resource(site: site, workCenter: nil),
                facts: facts)
            if decision.isPermitted, !gate.isPermitted { fatalError("the gate is narrower than a decision") }
        }
    }
    return 0
}
