import Bytes
import JSON

/// A batch: a file of lines, each a write of its own, and how far it is.
package struct BatchRecord: Sendable, Hashable {
    package enum State: String, Sendable, CaseIterable {
        /// Its lines are still coming, or will when the client comes back.
        case receiving
        /// All of it is there, durably.
        case received
        /// Every line has its result.
        case completed
    }

    package let id: String
    /// `issuer|subject`.
    package let caller: String
    package let idempotencyKey: String
    package let createdAt: WallInstant
    /// What the gateway needs to act for the caller when the request is gone. Opaque here.
    package let context: JSONValue
    package internal(set) var state = State.receiving
    package internal(set) var receivedBytes = 0
    /// How many lines there are; nil while they are coming.
    package internal(set) var lines: Int?
    /// Number of the last line that has its result.
    package internal(set) var lastLine = 0
    /// Where the line after it begins.
    package internal(set) var inputOffset = 0
    package internal(set) var resultBytes = 0
    /// How many lines came out how, by the word of their results.
    package internal(set) var outcomes: [String: Int] = [:]
    package internal(set) var changedAt: WallInstant

    package init(id: String, caller: String, idempotencyKey: String, createdAt: WallInstant, context: JSONValue) {
        self.id = id
        self.caller = caller
        self.idempotencyKey = idempotencyKey
        self.createdAt = createdAt
        self.context = context
        changedAt = createdAt
    }

    // MARK: On the disk

    /// What the files do not say themselves.
    var json: JSONValue {
        [
            "id": .string(id), "caller": .string(caller), "idempotency_key": .string(idempotencyKey),
            "created_at": .string(createdAt.rfc3339), "changed_at": .string(changedAt.rfc3339), "context": context,
            "state": .string(state.rawValue), "lines": lines.map { JSONValue($0) } ?? .null,
        ]
    }

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.string, let caller = json["caller"]?.string,
            let key = json["idempotency_key"]?.string, let context = json["context"],
            let created = json["created_at"]?.string.flatMap({ WallInstant($0) }),
            let changed = json["changed_at"]?.string.flatMap({ WallInstant($0) }),
            let state = json["state"]?.string.flatMap(State.init(rawValue:))
        else { return nil }
        self.init(id: id, caller: caller, idempotencyKey: key, createdAt: created, context: context)
        self.state = state
        lines = json["lines"]?.int
        changedAt = changed
    }
}

/// What of batches is kept at most.
package struct BatchLimits: Sendable, Hashable {
    /// One batch, in bytes. Default 100 MiB.
    package var bytesMax = 104_857_600
    /// All batches and their results together, in bytes. Default 2 GiB.
    package var diskBytesMax = 2_147_483_648
    /// Batches of one caller that are not completed. Default 16.
    package var openPerCallerMax = 16
    /// All batches, completed ones too. Default 10,000.
    package var countMax = 10_000

    package init() {}
}

/// Why a batch is not taken, or not further.
package enum BatchRefusal: Error, Sendable, Equatable {
    /// More than `bytesMax`.
    case tooLarge
    /// The caller, or all together, have as many as there may be.
    case tooMany
    /// `diskBytesMax` is reached.
    case full
    /// The client goes on at another place than where it was cut off.
    case offset(received: Int)
    /// What comes is not what came before under this key.
    case differs
    /// Another request brings the same batch at the moment.
    case busy
    case notFound
    case store(StoreError)
}
