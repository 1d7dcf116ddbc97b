import Bytes
import JSON

/// The keys of an issuer. Immutable: a change of keys is a new set, so that a request sees the old or the new one.
package struct KeySet: Sendable {
    package let keys: [VerificationKey]
    /// Members of a JWK set that were passed over, and why: `keys[1] (kid 'b'): its use is 'enc'`. For `check`.
    package let ignored: [String]
    /// Tells sets of published keys apart: SHA-256 of the bytes they were read from; empty for sets made otherwise.
    package private(set) var fingerprint: [UInt8] = []
    private let places: [String: Int]

    /// Most members of a JWK set. Real ones have two to ten.
    package static let keysMax = 256
    /// Longest JWK set, in bytes.
    package static let bytesMax = 1 << 20
    /// Most members of a set that is fetched from an issuer.
    package static let publishedKeysMax = 64
    /// Longest JWK set that is fetched from an issuer, in bytes.
    package static let publishedBytesMax = 262_144

    /// Throws when two keys have the same `kid`: a token must select one key.
    package init(_ keys: [VerificationKey], ignored: [String] = []) throws(KeyError) {
        var places: [String: Int] = [:]
        for (place, key) in keys.enumerated() {
            guard let id = key.id else { continue }
            if places.updateValue(place, forKey: id) != nil { throw KeyError("two keys have the kid '\(id)'") }
        }
        self.keys = keys
        self.ignored = ignored
        self.places = places
    }

    /// Reads a JWK set, or a single JWK. (RFC 7517 §5)
    ///
    /// - Parameter rsaAlgorithm: the algorithm of RSA keys without `alg`.
    package static func parse(_ bytes: [UInt8], rsaAlgorithm: SignatureAlgorithm? = nil) throws(KeyError) -> KeySet {
        guard bytes.count <= bytesMax else { throw KeyError("longer than \(bytesMax) bytes") }
        let document: JSONValue
        do {
            document = try JSONValue.parse(bytes)
        } catch {
            throw KeyError("not JSON: \(error)")
        }
        guard let object = document.object else { throw KeyError("not a JSON object") }
        guard let members = object["keys"] else {
            return try read([document], rsaAlgorithm: rsaAlgorithm) { _ in "the key" }
        }
        guard let list = members.array else { throw KeyError("'keys' is not an array") }
        guard list.count <= keysMax else { throw KeyError("more than \(keysMax) keys") }
        return try read(list, rsaAlgorithm: rsaAlgorithm) { "keys[\($0)]" }
    }

    /// Reads a set that an issuer publishes by URL, forgivingly: what cannot be used is passed over, because one odd
    /// member must not lock everybody out (RFC 7517 §5). Secrets are no keys here, whatever they say: what is published
    /// is known to all. Of two keys with one `kid` the first counts.
    package static func parsePublished(
        _ bytes: [UInt8], rsaAlgorithm: SignatureAlgorithm? = nil
    ) throws(KeyError) -> KeySet {
        guard bytes.count <= publishedBytesMax else { throw KeyError("longer than \(publishedBytesMax) bytes") }
        guard let object = (try? JSONValue.parse(bytes))?.object else { throw KeyError("not a JSON object") }
        guard let list = object["keys"]?.array else { throw KeyError("no array 'keys'") }
        guard list.count <= publishedKeysMax else { throw KeyError("more than \(publishedKeysMax) keys") }
        var keys: [VerificationKey] = []
        var ignored: [String] = []
        var names: Set<String> = []
        for (place, value) in list.enumerated() {
            let label = "keys[\(place)]"
            guard let member = value.object, member["kty"]?.string != "oct" else {
                ignored.append("\(label): not a public key")
                continue
            }
            do throws(KeyError) {
                switch try JWK.read(member, rsaAlgorithm: rsaAlgorithm) {
                case .ignored(let reason): ignored.append("\(label): \(reason)")
                case .key(let key):
                    if let id = key.id, !names.insert(id).inserted {
                        ignored.append("\(label): its kid is used twice")
                    } else {
                        keys.append(key)
                    }
                }
            } catch {
                ignored.append("\(label): \(error.message)")
            }
        }
        if keys.isEmpty { throw KeyError("no usable key; " + ignored.joined(separator: "; ")) }
        var set = try KeySet(keys, ignored: ignored)
        set.fingerprint = Digest.sha256(bytes)
        return set
    }

    private static func read(
        _ list: [JSONValue], rsaAlgorithm: SignatureAlgorithm?, name: (Int) -> String
    ) throws(KeyError) -> KeySet {
        var keys: [VerificationKey] = []
        var ignored: [String] = []
        for (place, value) in list.enumerated() {
            var label = name(place)
            if let id = value["kid"]?.string { label += " (kid '\(id)')" }
            guard let object = value.object else { throw KeyError("not an object", key: label) }
            do {
                switch try JWK.read(object, rsaAlgorithm: rsaAlgorithm) {
                case .key(let key): keys.append(key)
                case .ignored(let reason): ignored.append("\(label): \(reason)")
                }
            } catch {
                throw error.at(key: label)
            }
        }
        // Public keys are handed around, and a secret in the same file goes with them.
        let secrets = keys.count { $0.algorithm.family == .secret }
        guard secrets == 0 || secrets == keys.count else {
            throw KeyError("a secret ('oct') beside public keys: give it a file of its own")
        }
        return try KeySet(keys, ignored: ignored)
    }

    /// Both sets as one, for an issuer with several files.
    package func merging(_ other: KeySet) throws(KeyError) -> KeySet {
        try KeySet(keys + other.keys, ignored: ignored + other.ignored)
    }

    /// The key with this `kid`.
    package func key(id: String) -> VerificationKey? {
        places[id].map { keys[$0] }
    }

    /// The key for `algorithm` when there is exactly one.
    package func onlyKey(for algorithm: SignatureAlgorithm) -> VerificationKey? {
        var found: VerificationKey?
        for key in keys where key.algorithm == algorithm {
            if found != nil { return nil }
            found = key
        }
        return found
    }
}
