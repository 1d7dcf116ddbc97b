import Bytes
import CSystem
import Glibc
import JSON

/// libjwt 1.10, for issuing only. As a verifier it parses the key at each call, accepts `alg: none` when no key is
/// given and knows no `exp`; the tests use it as the oracle of what it does right.
enum LibJWT {
    /// The algorithms that libjwt signs with; PS and EdDSA are not among them.
    static func supports(_ algorithm: SignatureAlgorithm) -> Bool { code(algorithm) != nil }

    private static func code(_ algorithm: SignatureAlgorithm) -> jwt_alg_t? {
        switch algorithm {
        case .hs256: JWT_ALG_HS256
        case .hs384: JWT_ALG_HS384
        case .hs512: JWT_ALG_HS512
        case .rs256: JWT_ALG_RS256
        case .rs384: JWT_ALG_RS384
        case .rs512: JWT_ALG_RS512
        case .es256: JWT_ALG_ES256
        case .es384: JWT_ALG_ES384
        case .es512: JWT_ALG_ES512
        case .ps256, .ps384, .ps512, .eddsa: nil
        }
    }

    /// A signed token with `typ: JWT`.
    ///
    /// - Parameter key: the secret's bytes, or the private key's PEM text.
    static func sign(
        claims: JSONObject, algorithm: SignatureAlgorithm, key: [UInt8], keyID: String?
    ) throws(KeyError) -> String {
        defer { ERR_clear_error() }
        guard let code = code(algorithm) else { throw KeyError("libjwt does not know \(algorithm)") }
        var token: OpaquePointer?
        guard jwt_new(&token) == 0 else { throw KeyError("libjwt has no memory") }
        defer { jwt_free(token) }
        let json = JSONValue.object(claims).text
        guard jwt_add_grants_json(token, json) == 0 else { throw KeyError("libjwt refuses the claims") }
        guard jwt_set_alg(token, code, key, CInt(key.count)) == 0 else {
            throw KeyError("libjwt refuses the key for \(algorithm)")
        }
        if let keyID, jwt_add_header(token, "kid", keyID) != 0 { throw KeyError("libjwt refuses the kid") }
        guard let text = jwt_encode_str(token) else { throw KeyError("libjwt cannot sign with \(algorithm)") }
        defer { free(text) }
        return String(cString: text)
    }

    /// Whether libjwt takes the token with this key, for the differential test.
    ///
    /// - Parameter key: the secret's bytes, or the public key's PEM text.
    static func accepts(_ token: String, algorithm: SignatureAlgorithm, key: [UInt8]) -> Bool {
        defer { ERR_clear_error() }
        var decoded: OpaquePointer?
        defer { jwt_free(decoded) }
        guard jwt_decode(&decoded, token, key, CInt(key.count)) == 0, let code = code(algorithm) else { return false }
        // The caller of libjwt must compare the algorithm itself: the token has chosen it.
        return jwt_get_alg(decoded) == code
    }
}
