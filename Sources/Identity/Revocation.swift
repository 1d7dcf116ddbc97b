import Bytes

/// One thing that was called back: a token, or all tokens of a subject, of a client or of an issuer.
package struct Revocation: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// One token by its `jti`, or one client certificate by its serial number.
        case token = "jti"
        /// All tokens and certificates of a subject.
        case subject
        /// All tokens that a client was given.
        case client
        /// All tokens of an issuer: after a theft of its key, or of its database.
        case issuer
    }

    package let kind: Kind
    /// The exact issuer; nil for every issuer. Needed for `.issuer`.
    package let issuer: String?
    /// The `jti`, subject or client; empty for `.issuer`.
    package let value: String
    /// Only tokens issued before this instant; nil for all, those of the future too. A token that does not say when it
    /// was issued counts as issued before.
    package let issuedBefore: WallInstant?
    /// When the entry may be forgotten, because all that it is about has expired; nil for never.
    package let expires: WallInstant?
    package let createdAt: WallInstant
    /// Who asked for it, as told.
    package let createdBy: String
    package let reason: String

    /// Longest value, issuer, reason and name of who asked, in bytes.
    package static let textBytesMax = 1_024

    /// Throws what is wrong, in words for the operator.
    package init(
        kind: Kind, issuer: String?, value: String, issuedBefore: WallInstant? = nil, expires: WallInstant? = nil,
        createdAt: WallInstant, createdBy: String, reason: String
    ) throws(KeyError) {
        switch kind {
        case .token, .subject, .client:
            if value.isEmpty { throw KeyError("a revocation by \(kind.rawValue) needs its value") }
        case .issuer:
            if issuer == nil { throw KeyError("a revocation of an issuer needs its name") }
            if issuedBefore == nil {
                throw KeyError(
                    "a revocation of an issuer needs 'issued_before'; to bar it, remove it from the configuration")
            }
        }
        for text in [value, issuer ?? "", createdBy, reason]
        where text.utf8.count > Self.textBytesMax || text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw KeyError("a text of a revocation has control characters or more than \(Self.textBytesMax) bytes")
        }
        self.kind = kind
        self.issuer = issuer
        self.value = kind == .issuer ? "" : value
        self.issuedBefore = issuedBefore
        self.expires = expires
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.reason = reason
    }

    /// What makes two revocations the same: a second one replaces the first.
    package var key: String { "\(kind.rawValue)|\(issuer ?? "*")|\(value)" }
}

/// All revocations that count, ready to be asked once for each verified token. Immutable: a change is a new list, and a
/// new generation for every `TokenCache`.
package struct RevocationList: Sendable {
    private var byKey: [String: Revocation] = [:]

    /// Most entries. Default 100,000: about 30 MB.
    package static let countMax = 100_000

    package init() {}

    package init(_ entries: [Revocation]) {
        for entry in entries { add(entry) }
    }

    package var count: Int { byKey.count }
    package var entries: [Revocation] { byKey.values.sorted { ($0.createdAt, $0.key) < ($1.createdAt, $1.key) } }

    package mutating func add(_ entry: Revocation) { byKey[entry.key] = entry }

    @discardableResult
    package mutating func remove(key: String) -> Revocation? { byKey.removeValue(forKey: key) }

    /// Takes out what has expired and returns its keys.
    package mutating func purge(now: WallInstant) -> [String] {
        let gone = byKey.values.filter { $0.expires.map { $0 <= now } ?? false }.map(\.key)
        for key in gone { byKey[key] = nil }
        return gone
    }

    /// The entry that the principal's proof falls under, if any. At most eight look-ups.
    package func revocation(of principal: Principal) -> Revocation? {
        if byKey.isEmpty { return nil }
        if let id = principal.tokenID, let found = find(.token, id, principal) { return found }
        if let found = find(.subject, principal.subject, principal) { return found }
        if let client = principal.clientID, let found = find(.client, client, principal) { return found }
        return find(.issuer, "", principal)
    }

    private func find(_ kind: Revocation.Kind, _ value: String, _ principal: Principal) -> Revocation? {
        for issuer in [principal.issuer, "*"] {
            guard let entry = byKey["\(kind.rawValue)|\(issuer)|\(value)"] else { continue }
            guard let before = entry.issuedBefore else { return entry }
            if principal.issued.map({ $0 < before }) ?? true { return entry }
        }
        return nil
    }
}
