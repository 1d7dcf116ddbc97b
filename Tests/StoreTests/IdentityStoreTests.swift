import Bytes
import Foundation
import Identity
import Testing

@testable import Store

@Suite struct IdentityStoreTests {
    static let now = WallInstant(seconds: 1_790_000_000)

    static func revocation(_ value: String) throws -> Revocation {
        try Revocation(
            kind: .subject, issuer: "https://id.example", value: value, issuedBefore: now, expires: nil, createdAt: now,
            createdBy: "anna", reason: "left the company")
    }

    static func account(_ credential: ServiceAccount.Credential, lastUsed: WallInstant? = nil) -> ServiceAccount {
        ServiceAccount(
            id: "mes", credential: credential, environment: "test", roles: ["mes", "operator"], scopes: ["orders"],
            createdAt: now, expires: now + .hours(1), isDisabled: true, lastUsed: lastUsed)
    }

    @Test func whatWasAcknowledgedIsThereWhenItIsOpenedAgain() async throws {
        let directory = try TemporaryDirectory()
        let store = try IdentityStore(directory: directory.path)
        let entry = try Self.revocation("anna")
        try await store.add(entry)
        try await store.add(try Self.revocation("bert"))
        try await store.removeRevocations([try Self.revocation("bert").key])
        try await store.put(Self.account(.secret(["one", "two"])))
        try await store.used("mes", at: Self.now + .seconds(5))
        let key = IdentityStore.StoredSigningKey(
            keyID: "k1", pem: "PEM", publishedAt: Self.now, signsFrom: Self.now + .hours(1))
        try await store.add(key)
        await store.close()

        let again = try IdentityStore(directory: directory.path)
        #expect(again.contents.revocations == [entry])
        let account = try #require(again.contents.accounts.first)
        guard case .secret(let hashes) = account.credential else { return #expect(Bool(false)) }
        #expect(hashes == ["one", "two"] && account.roles == ["mes", "operator"] && account.scopes == ["orders"])
        #expect(account.isDisabled && account.lastUsed == Self.now + .seconds(5))
        #expect(account.expires == Self.now + .hours(1) && account.environment == "test")
        #expect(again.contents.keys.map(\.keyID) == ["k1"] && again.contents.keys[0].signsFrom == key.signsFrom)
        try await again.removeKeys(["k1"])
        await again.close()
        #expect(try IdentityStore(directory: directory.path).contents.keys.isEmpty)
    }

    @Test func anAssertionIsGoodForOnce() async throws {
        let directory = try TemporaryDirectory()
        let store = try IdentityStore(directory: directory.path)
        let end = Self.now + .seconds(60)
        #expect(try await store.useAssertion(client: "mes", id: "1", expires: end, now: Self.now))
        #expect(try await !store.useAssertion(client: "mes", id: "1", expires: end, now: Self.now))
        #expect(try await store.useAssertion(client: "wms", id: "1", expires: end, now: Self.now))
        await store.close()
        let again = try IdentityStore(directory: directory.path)
        #expect(try await !again.useAssertion(client: "mes", id: "1", expires: end, now: Self.now), "after a restart")
        #expect(try await again.useAssertion(client: "mes", id: "2", expires: end, now: end), "the old ones are gone")
        await again.close()
    }

    @Test func theFileIsForItsOwnerAndForOneProcess() throws {
        let directory = try TemporaryDirectory()
        let store = try IdentityStore(directory: directory.path)
        let mode = try FileManager.default.attributesOfItem(atPath: directory.path + "/identity.sqlite3")
        #expect((mode[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(throws: StoreError.self) { try IdentityStore(directory: directory.path) }
        _ = store
    }
}
