import Bytes

/// An operation as it arrives, to be accepted.
package struct NewOperation: Sendable, Equatable {
    /// Unique; of our own making.
    package var id: String
    /// As the client sent it, unquoted.
    package var idempotencyKey: String
    /// `issuer|subject`: keys of different callers never meet.
    package var caller: String
    package var operation: String
    /// SHA-256 of the body: the same key with another digest is a client's mistake.
    package var bodyDigest: [UInt8]
    /// The request as accepted, with all that is needed to go on with it after a restart.
    package var body: [UInt8]
    /// What it is about, `mrp.production,17`, where that is known before the first call.
    package var resource: String?
    package var traceID: String
    package var acceptedAt: WallInstant

    package init(
        id: String, idempotencyKey: String, caller: String, operation: String, bodyDigest: [UInt8], body: [UInt8],
        resource: String? = nil, traceID: String, acceptedAt: WallInstant
    ) {
        self.id = id
        self.idempotencyKey = idempotencyKey
        self.caller = caller
        self.operation = operation
        self.bodyDigest = bodyDigest
        self.body = body
        self.resource = resource
        self.traceID = traceID
        self.acceptedAt = acceptedAt
    }
}

/// The answer that a repeated request gets again.
package struct StoredAnswer: Sendable, Equatable {
    package var status: Int
    package var contentType: String
    package var body: [UInt8]

    package init(status: Int, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// An operation as the ledger knows it.
package struct OperationRecord: Sendable, Equatable {
    /// Counts operations in the order of acceptance; lists go on after it.
    package var number: Int64
    package var request: NewOperation
    package var state: OperationState
    /// Of the last change of state.
    package var changedAt: WallInstant
    /// Since when the state is final.
    package var finishedAt: WallInstant?
    /// Odoo records touched, in the order in which they became known, each once.
    package var records: [String]
    package var answer: StoredAnswer?

    package var id: String { request.id }
}

/// An operation whose outcome nobody can say at this moment.
package struct UnknownOperation: Sendable, Equatable {
    package var id: String
    package var operation: String
    /// When it became unknown.
    package var since: WallInstant
}

/// One line of an operation's journal: what was sent or learned.
package struct OperationStep: Sendable, Equatable {
    /// From 1.
    package var number: Int
    package var time: WallInstant
    /// The state that the step led to.
    package var state: OperationState
    /// JSON.
    package var text: String
}

/// What became of an attempt to accept an operation. Decided by a unique index over caller, operation and key.
package enum Acceptance: Sendable, Equatable {
    /// New: stored, and this caller goes on with it.
    case accepted(OperationRecord)
    /// The same request is here already and has no answer yet. (409)
    case inFlight(OperationRecord)
    /// The same request is here already and has this answer, also where the outcome is `unknown`.
    case replay(OperationRecord)
    /// The key was used for another body. (422)
    case mismatch(OperationRecord)
}
