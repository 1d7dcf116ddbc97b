import Bytes

/// A write that waits for a second person's consent.
package struct ApprovalRecord: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable { case pending, approved, rejected }

    /// Somebody said yes or no.
    package struct Vote: Sendable, Equatable {
        /// `issuer|subject`.
        package var by: String
        package var roles: [String]
        package var time: WallInstant
        package var approves: Bool

        package init(by: String, roles: [String], time: WallInstant, approves: Bool) {
            self.by = by
            self.roles = roles
            self.time = time
            self.approves = approves
        }
    }

    package var id: String
    /// `issuer|subject` of who asked.
    package var caller: String
    package var operation: String
    /// As the client sent it.
    package var idempotencyKey: String
    /// SHA-256 over operation, path and body: the consent is to this and nothing else.
    package var digest: [UInt8]
    /// What is to be done, as JSON, for who decides.
    package var request: [UInt8]
    package var site: String?
    /// Each needs one yes by a holder of one of its roles; an empty set, by anybody who may approve.
    package var needs: [Set<String>]
    package var state: State
    package var votes: [Vote]
    package var requestedAt: WallInstant
    package var expiresAt: WallInstant

    package init(
        id: String, caller: String, operation: String, idempotencyKey: String, digest: [UInt8], request: [UInt8],
        site: String?, needs: [Set<String>], state: State = .pending, votes: [Vote] = [], requestedAt: WallInstant,
        expiresAt: WallInstant
    ) {
        self.id = id
        self.caller = caller
        self.operation = operation
        self.idempotencyKey = idempotencyKey
        self.digest = digest
        self.request = request
        self.site = site
        self.needs = needs
        self.state = state
        self.votes = votes
        self.requestedAt = requestedAt
        self.expiresAt = expiresAt
    }

    /// What still needs a yes.
    package var open: [Set<String>] {
        needs.filter { roles in
            !votes.contains { $0.approves && (roles.isEmpty || !roles.isDisjoint(with: $0.roles)) }
        }
    }

    package func isExpired(at now: WallInstant) -> Bool { now >= expiresAt }
}
