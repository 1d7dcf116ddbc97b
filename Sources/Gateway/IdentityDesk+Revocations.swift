import Bytes
import Identity
import Reactor
import Store

/// Why a revocation was not taken.
enum RevocationRefused: Error {
    case full
    case store(StoreError)
}

extension IdentityDesk {
    var revocations: [Revocation] { state.withLock { $0.revocations.entries } }
    /// The caller's access was called back.
    func isRevoked(_ principal: Principal) -> Bool {
        state.withLock { $0.revocations.revocation(of: principal) != nil }
    }
    var revocationCount: Int { state.withLock { $0.revocations.count } }

    /// Takes a revocation. When this returns it is on the disk, and no reactor accepts what it is about.
    func add(_ entry: Revocation) async throws(RevocationRefused) {
        let isFull = state.withLock {
            $0.revocations.count >= RevocationList.countMax && !$0.revocations.entries.contains { $0.key == entry.key }
        }
        if isFull { throw .full }
        do throws(StoreError) {
            try await store.add(entry)
        } catch {
            throw .store(error)
        }
        await change { $0.revocations.add(entry) }
    }

    /// Takes a revocation back; false when there is none with this key.
    func removeRevocation(key: String) async throws(RevocationRefused) -> Bool {
        guard state.withLock({ state in state.revocations.entries.contains { $0.key == key } }) else { return false }
        do throws(StoreError) {
            try await store.removeRevocations([key])
        } catch {
            throw .store(error)
        }
        await change { $0.revocations.remove(key: key) }
        return true
    }
}
