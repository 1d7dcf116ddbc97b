import Synchronization

/// Which idempotency keys are being worked on in this process, so that a second request with one gets 409 at once, and
/// one that comes when nobody works on its operation any more may take it up.
final class Claims: Sendable {
    struct Name: Hashable, Sendable {
        let caller: String
        let operation: String
        let key: String
    }

    struct Claim: Sendable {
        let digest: [UInt8]
        /// Empty until the operation is accepted.
        var operationID = ""
    }

    private let held = Mutex<[Name: Claim]>([:])

    /// Nil when the claim is ours now; otherwise the other's.
    func take(_ name: Name, digest: [UInt8]) -> Claim? {
        held.withLock { held in
            if let other = held[name] { return other }
            held[name] = Claim(digest: digest)
            return nil
        }
    }

    func name(_ name: Name, operationID: String) { held.withLock { $0[name]?.operationID = operationID } }

    func release(_ name: Name) { held.withLock { $0[name] = nil } }

    var count: Int { held.withLock { $0.count } }
}
