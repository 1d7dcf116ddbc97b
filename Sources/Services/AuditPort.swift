import Policy

/// What the audit log learns from a write besides its request and answer.
package struct ServiceAuditNote: Sendable {
    /// `production-order.confirm`.
    package let operation: String
    package let operationID: String
    /// `issuer|subject`.
    package let caller: String
    package let requestID: String
    package let traceID: String
    /// What it is about, as far as rules tell resources apart.
    package let resource: Resource
    /// Nil when the operation goes on after a restart, with the permission of its acceptance.
    package let decision: Decision?
    /// `mrp.production,17`: about to be changed, or changed.
    package let records: [String]
    /// SHA-256 over operation, path and body.
    package let digest: [UInt8]
    /// The consent that it rests on, by id.
    package var approval: String?
}

/// The audit log cannot take the entry.
package struct AuditRefused: Error, Sendable {
    package init() {}
}

/// The audit log, as the services need it. Written by the gateway, which knows the rest of the caller and the request.
package protocol AuditPort: Sendable {
    /// Returns when the entry is durable; nothing is sent to Odoo before. Called once for each try.
    func intent(_ note: ServiceAuditNote) async throws(AuditRefused)
    /// An operation ended without a request that waits for it: after `respond-async`, a restart, or as settled.
    func ended(_ note: ServiceAuditNote, _ answer: ServiceAnswer) async
}
