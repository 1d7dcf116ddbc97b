import Bytes
import JSON

/// The token service's signing keys: one that signs, those that are published before they sign, and those whose tokens
/// still live. (The overlap: a verifier that keeps our JWK set for `publishAhead` never meets an unknown key.)
package struct SigningKeyRing: Sendable {
    package struct Entry: Sendable {
        package let key: SigningKey
        /// When it was made and published.
        package let publishedAt: WallInstant
        /// From when on it signs.
        package let signsFrom: WallInstant

        package init(key: SigningKey, publishedAt: WallInstant, signsFrom: WallInstant) {
            self.key = key
            self.publishedAt = publishedAt
            self.signsFrom = signsFrom
        }
    }

    /// How long a key is published before it signs: longer than anybody keeps the set. Default 30 min.
    package static let publishAhead: Nanoseconds = .minutes(30)
    /// `max-age` of the published set, in seconds.
    package static let maxAgeSeconds = 300

    /// Oldest first.
    package private(set) var entries: [Entry]
    /// How long a key signs before the next one takes over.
    package let rotation: Nanoseconds
    /// How long a token lives at most, leeway included.
    package let tokenLife: Nanoseconds

    package init(_ entries: [Entry], rotation: Nanoseconds, tokenLife: Nanoseconds) {
        self.entries = entries.sorted { $0.signsFrom < $1.signsFrom }
        self.rotation = rotation
        self.tokenLife = tokenLife
    }

    /// The key that signs at `now`.
    package func signer(_ now: WallInstant) -> Entry? { entries.last { $0.signsFrom <= now } }

    /// Keys to publish: every one but those whose last token has expired.
    package func published(_ now: WallInstant) -> [Entry] {
        entries.indices.filter { i in
            guard i + 1 < entries.count else { return true }
            return now < entries[i + 1].signsFrom + tokenLife
        }.map { entries[$0] }
    }

    /// When the next key must begin to sign if one must be made now; nil while none is needed. The first signs at once.
    package func next(_ now: WallInstant) -> WallInstant? {
        guard let last = entries.last else { return now }
        let change = last.signsFrom + rotation
        return now + Self.publishAhead >= change ? max(change, now + Self.publishAhead) : nil
    }

    package mutating func add(_ entry: Entry) {
        entries.append(entry)
        entries.sort { $0.signsFrom < $1.signsFrom }
    }

    /// Takes out the keys that are not published any more, and returns their ids.
    package mutating func retire(_ now: WallInstant) -> [String] {
        let kept = Set(published(now).map(\.key.keyID))
        let gone = entries.map(\.key.keyID).filter { !kept.contains($0) }
        entries.removeAll { !kept.contains($0.key.keyID) }
        return gone
    }

    /// The JWK set as it is published. (RFC 7517 §5)
    package func jwks(_ now: WallInstant) -> JSONObject { SigningKey.jwks(published(now).map(\.key)) }
}
