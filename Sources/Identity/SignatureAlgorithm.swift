/// The signature algorithms of JWS that are known here. `none` is not among them and never will be.
/// (RFC 7518 §3.1, RFC 8037 §3.1)
package enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case hs256 = "HS256"
    case hs384 = "HS384"
    case hs512 = "HS512"
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case eddsa = "EdDSA"

    package enum Family: Sendable, Hashable {
        /// A shared secret: HMAC.
        case secret
        /// RSASSA-PKCS1-v1_5.
        case rsa
        /// RSASSA-PSS with a salt as long as the hash.
        case rsaPSS
        /// ECDSA with the one curve that belongs to the hash.
        case ec(EllipticCurve)
        /// Ed25519.
        case ed25519
    }

    package var family: Family {
        switch self {
        case .hs256, .hs384, .hs512: .secret
        case .rs256, .rs384, .rs512: .rsa
        case .ps256, .ps384, .ps512: .rsaPSS
        case .es256: .ec(.p256)
        case .es384: .ec(.p384)
        case .es512: .ec(.p521)
        case .eddsa: .ed25519
        }
    }

    /// OpenSSL's name of the hash; nil for EdDSA, which brings its own.
    package var hashName: String? {
        switch self {
        case .hs256, .rs256, .ps256, .es256: "SHA256"
        case .hs384, .rs384, .ps384, .es384: "SHA384"
        case .hs512, .rs512, .ps512, .es512: "SHA512"
        case .eddsa: nil
        }
    }

    /// Bytes of the hash: 32, 48 or 64. For HMAC also the shortest secret that is accepted (RFC 7518 §3.2).
    package var hashBytes: Int {
        switch self {
        case .hs256, .rs256, .ps256, .es256: 32
        case .hs384, .rs384, .ps384, .es384: 48
        case .hs512, .rs512, .ps512, .es512, .eddsa: 64
        }
    }

    package var description: String { rawValue }
}

/// The NIST curves of JOSE. (RFC 7518 §6.2.1.1)
package enum EllipticCurve: String, Sendable, Hashable, CaseIterable {
    case p256 = "P-256"
    case p384 = "P-384"
    case p521 = "P-521"

    /// Bytes of a coordinate, and of each half of a signature.
    package var coordinateBytes: Int {
        switch self {
        case .p256: 32
        case .p384: 48
        case .p521: 66
        }
    }

    /// The one algorithm for the curve.
    package var algorithm: SignatureAlgorithm {
        switch self {
        case .p256: .es256
        case .p384: .es384
        case .p521: .es512
        }
    }

    /// The group's name in OpenSSL.
    var groupName: String {
        switch self {
        case .p256: "prime256v1"
        case .p384: "secp384r1"
        case .p521: "secp521r1"
        }
    }
}
