import Bytes

/// What must be done besides, when a decision is carried out. Those of all rules that allow a request add up.
package struct Obligations: Sendable, Hashable {
    /// The request's body goes into the audit log, redacted; otherwise only its digest does.
    package var auditBody: Bool
    /// The connection must have a verified client certificate.
    package var requiresClientCertificate = false
    /// The caller must have signed in (`auth_time`, else `iat`) within this time.
    package var tokenAgeMax: Nanoseconds?
    /// Each must be met by one approval.
    package var secondPerson: [SecondPerson] = []
    /// Members of answers that the caller sees as null, at any depth.
    package var mask: Set<String> = []

    package init(auditBody: Bool = false) { self.auditBody = auditBody }

    /// Somebody other than the caller must agree.
    package struct SecondPerson: Sendable, Hashable {
        /// One of these roles; empty for whoever may approve at all.
        package var roles: Set<String>
        /// How long an approval, and the wait for it, lasts. Default 15 minutes.
        package var validFor: Nanoseconds

        package static let validForDefault: Nanoseconds = .minutes(15)

        package init(roles: Set<String> = [], validFor: Nanoseconds = Self.validForDefault) {
            self.roles = roles
            self.validFor = validFor
        }
    }

    package var isEmpty: Bool {
        !auditBody && !requiresClientCertificate && tokenAgeMax == nil && secondPerson.isEmpty && mask.isEmpty
    }

    /// Whether it depends on connection and time if the request may go on.
    package var dependsOnRequest: Bool { requiresClientCertificate || tokenAgeMax != nil || !secondPerson.isEmpty }

    mutating func add(_ other: Obligations) {
        if other.auditBody { auditBody = true }
        if other.requiresClientCertificate { requiresClientCertificate = true }
        if let age = other.tokenAgeMax { tokenAgeMax = min(age, tokenAgeMax ?? age) }
        for one in other.secondPerson where !secondPerson.contains(one) { secondPerson.append(one) }
        mask.formUnion(other.mask)
    }
}
