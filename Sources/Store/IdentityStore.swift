import Bytes
import Identity

/// What is kept of identities over a restart: revocations, the token service's accounts and signing keys, and the ids of
/// assertions that were used. One thread that commits with a sync; nothing that was acknowledged is lost.
///
/// The file holds private keys and hashes of secrets; it is made for its owner alone.
package final class IdentityStore: Sendable {
    /// What is in the file, read before anybody is served.
    package struct Contents: Sendable {
        package var revocations: [Revocation] = []
        package var accounts: [ServiceAccount] = []
        package var keys: [StoredSigningKey] = []
    }

    package struct StoredSigningKey: Sendable {
        package let keyID: String
        package let pem: String
        package let publishedAt: WallInstant
        package let signsFrom: WallInstant

        package init(keyID: String, pem: String, publishedAt: WallInstant, signsFrom: WallInstant) {
            self.keyID = keyID
            self.pem = pem
            self.publishedAt = publishedAt
            self.signsFrom = signsFrom
        }
    }

    /// Ids of assertions that one purge takes out.
    private static let purgeBatch: Int64 = 500

    private let thread: DatabaseThread
    /// As it was when the file was opened.
    package let contents: Contents

    /// Opens the store in a directory, which is made where it is missing. Throws `.busy` when another process has it.
    package init(directory: String) throws(StoreError) {
        try Files.makeDirectory(directory)
        let lock = try DirectoryLock(directory + "/identity.lock")
        let path = directory + "/identity.sqlite3"
        try Files.createPrivate(path)
        let loaded = Monitor(Contents())
        thread = try DatabaseThread("identity-store", commits: true, lock: lock) { () throws(StoreError) in
            let database = try Database(path: path, mode: .readWrite)
            try IdentitySchema.migrate(database)
            let contents = try database.identityContents()
            loaded.withLock { $0 = contents }
            return database
        }
        contents = loaded.withLock { $0 }
    }

    package func close() async { await thread.close() }

    // MARK: - Revocations

    package func add(_ entry: Revocation) async throws(StoreError) {
        try await thread.perform { database throws(StoreError) in
            try database.run(
                "INSERT OR REPLACE INTO revocation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    .text(entry.key), .text(entry.kind.rawValue), .text(orNull: entry.issuer), .text(entry.value),
                    .time(entry.issuedBefore), .time(entry.expires), .time(entry.createdAt), .text(entry.createdBy),
                    .text(entry.reason),
                ])
        }
    }

    package func removeRevocations(_ keys: [String]) async throws(StoreError) {
        try await thread.perform { database throws(StoreError) in
            for key in keys { try database.run("DELETE FROM revocation WHERE key = ?", [.text(key)]) }
        }
    }

    // MARK: - Accounts

    /// Stores a new account or the new state of an old one.
    package func put(_ account: ServiceAccount) async throws(StoreError) {
        try await thread.perform { database throws(StoreError) in
            let credential: String =
                switch account.credential {
                case .secret(let hashes): hashes.joined(separator: "\n")
                case .keys(let jwks): jwks
                case .certificate(let thumbprint): thumbprint
                }
            try database.run(
                "INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    .text(account.id), .text(account.credential.method), .text(credential),
                    .text(account.environment), .text(account.roles.joined(separator: " ")),
                    .text(account.scopes.joined(separator: " ")), .time(account.createdAt), .time(account.expires),
                    .integer(account.isDisabled ? 1 : 0), .time(account.lastUsed),
                ])
        }
    }

    package func used(_ account: String, at time: WallInstant) async throws(StoreError) {
        try await thread.perform { database throws(StoreError) in
            try database.run("UPDATE account SET last_used = ? WHERE id = ?", [.time(time), .text(account)])
        }
    }

    /// Takes an assertion's id for used. False when it was used before and has not expired: a replay.
    package func useAssertion(
        client: String, id: String, expires: WallInstant, now: WallInstant
    ) async throws(StoreError) -> Bool {
        try await thread.perform { database throws(StoreError) in
            try database.run(
                """
                DELETE FROM assertion WHERE (client, jti) IN
                    (SELECT client, jti FROM assertion WHERE expires <= ? ORDER BY expires LIMIT ?)
                """, [.time(now), .integer(Self.purgeBatch)])
            try database.run(
                "INSERT OR IGNORE INTO assertion VALUES (?, ?, ?)", [.text(client), .text(id), .time(expires)])
            return database.changes == 1
        }
    }

    // MARK: - Signing keys

    package func add(_ key: StoredSigningKey) async throws(StoreError) {
        try await thread.perform { database throws(StoreError) in
            try database.run(
                "INSERT INTO signing_key VALUES (?, ?, ?, ?)",
                [.text(key.keyID), .text(key.pem), .time(key.publishedAt), .time(key.signsFrom)])
        }
    }

    package func removeKeys(_ ids: [String]) async throws(StoreError) {
        try await thread.perform { database throws(StoreError) in
            for id in ids { try database.run("DELETE FROM signing_key WHERE kid = ?", [.text(id)]) }
        }
    }
}

extension Database {
    fileprivate func identityContents() throws(StoreError) -> IdentityStore.Contents {
        func time(_ row: Row, _ column: Int32) -> WallInstant? {
            row.isNull(column) ? nil : WallInstant(nanoseconds: row.integer(column))
        }
        var contents = IdentityStore.Contents()
        contents.revocations = try query("SELECT * FROM revocation") { row throws(StoreError) in
            let entry = Revocation.Kind(rawValue: row.text(1)).flatMap { kind in
                try? Revocation(
                    kind: kind, issuer: row.textOrNil(2), value: row.text(3), issuedBefore: time(row, 4),
                    expires: time(row, 5), createdAt: WallInstant(nanoseconds: row.integer(6)), createdBy: row.text(7),
                    reason: row.text(8))
            }
            // A revocation that is passed over would let somebody in.
            guard let entry else { throw .corrupt("the revocation '\(row.text(0))' cannot be read") }
            return entry
        }
        contents.accounts = try query("SELECT * FROM account") { row throws(StoreError) in
            let credential: ServiceAccount.Credential
            switch row.text(1) {
            case "client_secret":
                credential = .secret(row.text(2).split(separator: "\n").map(String.init))
            case "private_key_jwt": credential = .keys(jwks: row.text(2))
            case "tls_client_auth": credential = .certificate(thumbprint: row.text(2))
            default: throw .corrupt("the account '\(row.text(0))' cannot be read")
            }
            return ServiceAccount(
                id: row.text(0), credential: credential, environment: row.text(3),
                roles: row.text(4).split(separator: " ").map(String.init),
                scopes: row.text(5).split(separator: " ").map(String.init),
                createdAt: WallInstant(nanoseconds: row.integer(6)), expires: time(row, 7),
                isDisabled: row.integer(8) != 0, lastUsed: time(row, 9))
        }
        contents.keys = try query("SELECT * FROM signing_key") { row throws(StoreError) in
            IdentityStore.StoredSigningKey(
                keyID: row.text(0), pem: row.text(1), publishedAt: WallInstant(nanoseconds: row.integer(2)),
                signsFrom: WallInstant(nanoseconds: row.integer(3)))
        }
        return contents
    }
}
