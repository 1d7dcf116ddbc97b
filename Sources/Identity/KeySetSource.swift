/// How the bytes of a key file become keys. The gateway reads the file, at the start and when it changes, and asks this
/// value; a file that does not parse leaves the keys that are in use as they are.
package struct KeySetSource: Sendable, Hashable {
    /// What is in the file. Never guessed from its content: a PEM text taken for a secret is how algorithm confusion
    /// begins.
    package enum Format: String, Sendable, Hashable, CaseIterable {
        /// A JWK set, or one JWK. (RFC 7517)
        case jwks
        /// One `PUBLIC KEY` or `CERTIFICATE` block. (RFC 7468)
        case pem
        /// The bytes of a shared secret. A line break at the end of a printable text does not belong to it.
        case secret
    }

    /// The file, as the configuration names it.
    package let file: String
    package let format: Format
    /// The one algorithm for keys that do not say theirs. Needed for a secret and for an RSA key in PEM.
    package let algorithm: SignatureAlgorithm?
    /// `kid` of the key in a PEM or secret file.
    package let keyID: String?

    /// - Parameter format: nil to go by the name: `.json`, `.jwk`, `.jwks`; `.pem`, `.pub`, `.crt`; `.secret`.
    package init(
        file: String, format: Format? = nil, algorithm: SignatureAlgorithm? = nil, keyID: String? = nil
    ) throws(KeyError) {
        guard let format = format ?? Self.format(of: file) else {
            throw KeyError(
                "the kind of key file is not clear from its name; call it .jwks, .pem or .secret", file: file)
        }
        self.file = file
        self.format = format
        self.algorithm = algorithm
        self.keyID = keyID
    }

    private static func format(of file: String) -> Format? {
        switch file.split(separator: ".").last {
        case "json", "jwk", "jwks": .jwks
        case "pem", "pub", "crt": .pem
        case "secret": .secret
        default: nil
        }
    }

    /// The keys in the file's `bytes`. Throws an error that names the file and the key.
    package func load(_ bytes: [UInt8]) throws(KeyError) -> KeySet {
        do throws(KeyError) {
            let set: KeySet
            switch format {
            case .jwks: set = try KeySet.parse(bytes, rsaAlgorithm: algorithm)
            case .pem: set = try KeySet([Self.key(pem: bytes, id: keyID, algorithm: algorithm)])
            case .secret: set = try KeySet([secret(bytes)])
            }
            if set.keys.isEmpty {
                throw KeyError(
                    "no usable key" + (set.ignored.isEmpty ? "" : "; " + set.ignored.joined(separator: "; ")))
            }
            return set
        } catch {
            throw error.at(file: file)
        }
    }

    private static func key(
        pem bytes: [UInt8], id: String?, algorithm: SignatureAlgorithm?
    ) throws(KeyError) -> VerificationKey {
        let key = try PublicKey.pem(bytes)
        let chosen: SignatureAlgorithm
        switch key.kind {
        case .rsa:
            guard let algorithm else { throw KeyError("an RSA key in PEM needs a single configured algorithm") }
            chosen = algorithm
        case .ec(let curve): chosen = algorithm ?? curve.algorithm
        case .ed25519: chosen = algorithm ?? .eddsa
        }
        return try VerificationKey(id: id, algorithm: chosen, publicKey: key)
    }

    private func secret(_ bytes: [UInt8]) throws(KeyError) -> VerificationKey {
        guard let algorithm else { throw KeyError("a secret needs a single configured algorithm") }
        let secret = Self.secretBytes(bytes)
        // An HS256 "secret" that is a public key is known to everybody.
        let text = String(decoding: secret.prefix(4_096), as: UTF8.self)
        if text.contains("-----BEGIN") { throw KeyError("this is a PEM text, not a secret") }
        if text.drop(while: \.isWhitespace).hasPrefix("{") && text.contains("\"kty\"") {
            throw KeyError("this is a JWK, not a secret")
        }
        return try VerificationKey(id: keyID, algorithm: algorithm, secret: secret)
    }

    /// The secret in a file: all its bytes, but without a final line break when the rest is printable text, which is
    /// what editors and `echo` leave.
    package static func secretBytes(_ bytes: [UInt8]) -> [UInt8] {
        var rest = bytes[...]
        if rest.last == 0x0A { rest.removeLast() }
        if rest.count < bytes.count, rest.last == 0x0D { rest.removeLast() }
        return rest.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? Array(rest) : bytes
    }
}
