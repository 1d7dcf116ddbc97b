import Bytes
import JSON

/// One member of a JWK set, read strictly. (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2)
enum JWK {
    /// What became of it.
    enum Outcome {
        case key(VerificationKey)
        /// Not for verifying signatures here, and why: published sets hold encryption keys and new kinds as well, and
        /// RFC 7517 §5 asks to pass over what is not understood.
        case ignored(String)
    }

    /// Longest `kid`, in bytes of UTF-8.
    static let keyIDBytesMax = 256

    /// - Parameter rsaAlgorithm: the algorithm of an RSA key without `alg`; nil when the issuer allows several.
    static func read(_ object: JSONObject, rsaAlgorithm: SignatureAlgorithm?) throws(KeyError) -> Outcome {
        guard let type = try text(object, "kty") else { throw KeyError("'kty' is missing") }
        let id = try text(object, "kid")
        if let id, id.isEmpty || id.utf8.count > keyIDBytesMax {
            throw KeyError("'kid' is empty or longer than \(keyIDBytesMax) bytes")
        }
        if let use = try text(object, "use"), use != "sig" { return .ignored("its use is '\(use)'") }
        if let operations = object["key_ops"] {
            guard let list = operations.array else { throw KeyError("'key_ops' is not an array") }
            if !list.contains(.string("verify")) { return .ignored("its key_ops do not have 'verify'") }
        }
        var algorithm: SignatureAlgorithm?
        if let name = try text(object, "alg") {
            algorithm = SignatureAlgorithm(rawValue: name)
            if algorithm == nil { return .ignored("its algorithm '\(name)' is not supported") }
        }
        // RFC 7518 §6.3.2: a private key in a file that is only for verifying is a leak, and a sign of mixed-up files.
        if type != "oct", object.contains("d") {
            throw KeyError("this is a private key; the file must hold public keys only")
        }
        switch type {
        case "RSA":
            let key = try PublicKey.rsa(modulus: number(object, "n"), exponent: number(object, "e"))
            guard let chosen = algorithm ?? rsaAlgorithm else {
                throw KeyError("an RSA key without 'alg' needs an issuer with a single RS or PS algorithm")
            }
            return .key(try VerificationKey(id: id, algorithm: chosen, publicKey: key))
        case "EC":
            guard let name = try text(object, "crv") else { throw KeyError("'crv' is missing") }
            guard let curve = EllipticCurve(rawValue: name) else {
                return .ignored("its curve '\(name)' is not supported")
            }
            let key = try PublicKey.ec(curve, x: octets(object, "x"), y: octets(object, "y"))
            return .key(try VerificationKey(id: id, algorithm: algorithm ?? curve.algorithm, publicKey: key))
        case "OKP":
            guard let name = try text(object, "crv") else { throw KeyError("'crv' is missing") }
            guard name == "Ed25519" else { return .ignored("its curve '\(name)' is not supported") }
            let key = try PublicKey.ed25519(octets(object, "x"))
            return .key(try VerificationKey(id: id, algorithm: algorithm ?? .eddsa, publicKey: key))
        case "oct":
            guard let algorithm else {
                throw KeyError("a secret ('oct') needs 'alg': HS256, HS384 or HS512")
            }
            return .key(try VerificationKey(id: id, algorithm: algorithm, secret: octets(object, "k")))
        default:
            return .ignored("its type '\(type)' is not supported")
        }
    }

    private static func text(_ object: JSONObject, _ name: String) throws(KeyError) -> String? {
        guard let value = object[name] else { return nil }
        guard let text = value.string else { throw KeyError("'\(name)' is not a string") }
        return text
    }

    private static func octets(_ object: JSONObject, _ name: String) throws(KeyError) -> [UInt8] {
        guard let text = try text(object, name) else { throw KeyError("'\(name)' is missing") }
        guard let bytes = Base64URL.decode(text), !bytes.isEmpty else {
            throw KeyError("'\(name)' is not base64url without padding")
        }
        return bytes
    }

    /// A `Base64urlUInt`: no leading zero bytes. (RFC 7518 §2)
    private static func number(_ object: JSONObject, _ name: String) throws(KeyError) -> [UInt8] {
        let bytes = try octets(object, name)
        guard bytes.first != 0 else { throw KeyError("'\(name)' has leading zero bytes") }
        return bytes
    }

    // MARK: - Writing

    /// The JWK of a public key with `use: sig`, `alg` and `kid`.
    package static func write(_ key: PublicKey, algorithm: SignatureAlgorithm, id: String?) -> JSONObject {
        var object = JSONObject(thumbprintMembers(key))
        object["use"] = "sig"
        object["alg"] = .string(algorithm.rawValue)
        if let id { object["kid"] = .string(id) }
        return object
    }

    /// The key's RFC 7638 thumbprint, a good `kid`: SHA-256 over its required members in order, in base64url.
    package static func thumbprint(_ key: PublicKey) -> String {
        Base64URL.encode(Digest.sha256(JSONValue.object(JSONObject(thumbprintMembers(key))).bytes))
    }

    /// The required members in lexicographic order. (RFC 7638 §3.2)
    private static func thumbprintMembers(_ key: PublicKey) -> [(String, JSONValue)] {
        if let (n, e) = key.rsaNumbers {
            return [("e", .string(Base64URL.encode(e))), ("kty", "RSA"), ("n", .string(Base64URL.encode(n)))]
        }
        if let (x, y) = key.ecPoint, case .ec(let curve) = key.kind {
            return [
                ("crv", .string(curve.rawValue)), ("kty", "EC"), ("x", .string(Base64URL.encode(x))),
                ("y", .string(Base64URL.encode(y))),
            ]
        }
        let x = key.ed25519Bytes ?? []
        return [("crv", "Ed25519"), ("kty", "OKP"), ("x", .string(Base64URL.encode(x)))]
    }
}
