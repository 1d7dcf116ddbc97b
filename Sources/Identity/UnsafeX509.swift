import Bytes
import CSystem

/// Makes X.509 certificates for development. A plant's own PKI makes the real ones. (RFC 5280)
enum X509Maker {
    enum Purpose {
        case authority
        case server
        case client
    }

    /// What goes into a certificate.
    struct Contents {
        var commonName: String
        var purpose: Purpose
        /// In OpenSSL's notation: `DNS:localhost`, `IP:127.0.0.1`, `URI:…`, `email:…`.
        var alternativeNames: [String]
        var notBefore: WallInstant
        var notAfter: WallInstant
    }

    /// An authority that signs: its certificate and key.
    struct Authority {
        let certificatePEM: String
        let key: PrivateKey
    }

    /// A certificate for `key`, signed by `authority`, or by itself when there is none.
    static func make(_ contents: Contents, key: PrivateKey, by authority: Authority?) throws(KeyError) -> String {
        defer { ERR_clear_error() }
        guard let certificate = X509_new() else { throw KeyError("OpenSSL has no memory") }
        defer { X509_free(certificate) }
        var issuer = certificate
        if let authority {
            guard let read = read(authority.certificatePEM) else { throw KeyError("the authority is not readable") }
            issuer = read
        }
        defer { if issuer != certificate { X509_free(issuer) } }

        // A random serial number of 127 bits, positive. (RFC 5280 §4.1.2.2)
        guard var random = Digest.random(16) else { throw KeyError("OpenSSL has no randomness") }
        random[0] = random[0] & 0x7F | 0x40
        let serial = BN_bin2bn(random, CInt(random.count), nil)
        defer { BN_free(serial) }
        let name = X509_NAME_new()
        defer { X509_NAME_free(name) }
        let text = Array(contents.commonName.utf8)
        let organization = Array("Millgate development".utf8)
        let filled =
            X509_set_version(certificate, 2) == 1
            && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != nil
            && X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, organization, CInt(organization.count), -1, 0) == 1
            && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, CInt(text.count), -1, 0) == 1
            && X509_set_subject_name(certificate, name) == 1
            && X509_set_issuer_name(certificate, authority == nil ? name : X509_get_subject_name(issuer)) == 1
            && ASN1_TIME_set(X509_getm_notBefore(certificate), Int(contents.notBefore.seconds)) != nil
            && ASN1_TIME_set(X509_getm_notAfter(certificate), Int(contents.notAfter.seconds)) != nil
            && X509_set_pubkey(certificate, key.handle) == 1
        guard filled else { throw KeyError("OpenSSL refuses the certificate's names or times") }
        for (kind, value) in extensions(contents) {
            guard add(kind, value, to: certificate, issuer: issuer) else {
                throw KeyError("OpenSSL refuses the extension '\(value)'")
            }
        }
        let signer = authority?.key ?? key
        let hash = signer.publicKey.kind == .ed25519 ? nil : EVP_sha256()
        guard X509_sign(certificate, signer.handle, hash) > 0 else { throw KeyError("OpenSSL cannot sign") }
        guard let pem = PEMText.write({ output in PEM_write_bio_X509(output, certificate) == 1 }) else {
            throw KeyError("OpenSSL cannot write the certificate")
        }
        return pem
    }

    private static func extensions(_ contents: Contents) -> [(CInt, String)] {
        var list: [(CInt, String)] = []
        switch contents.purpose {
        case .authority:
            list.append((NID_basic_constraints, "critical,CA:TRUE,pathlen:0"))
            list.append((NID_key_usage, "critical,keyCertSign,cRLSign"))
        case .server:
            list.append((NID_basic_constraints, "critical,CA:FALSE"))
            list.append((NID_key_usage, "critical,digitalSignature"))
            list.append((NID_ext_key_usage, "serverAuth"))
        case .client:
            list.append((NID_basic_constraints, "critical,CA:FALSE"))
            list.append((NID_key_usage, "critical,digitalSignature"))
            list.append((NID_ext_key_usage, "clientAuth"))
        }
        list.append((NID_subject_key_identifier, "hash"))
        if contents.purpose != .authority { list.append((NID_authority_key_identifier, "keyid")) }
        if !contents.alternativeNames.isEmpty {
            list.append((NID_subject_alt_name, contents.alternativeNames.joined(separator: ",")))
        }
        return list
    }

    private static func add(
        _ kind: CInt, _ value: String, to certificate: OpaquePointer, issuer: OpaquePointer
    ) -> Bool {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer, certificate, nil, nil, 0)
        guard let made = X509V3_EXT_conf_nid(nil, &context, kind, value) else { return false }
        defer { X509_EXTENSION_free(made) }
        return X509_add_ext(certificate, made, -1) == 1
    }

    private static func read(_ pem: String) -> OpaquePointer? {
        let bytes = Array(pem.utf8)
        let input = PEMText.reader(bytes)
        defer { BIO_free(input) }
        return PEM_read_bio_X509(input, nil, nil, nil)
    }

    /// The DER of the first certificate in a PEM text.
    static func der(pem: String) -> [UInt8]? {
        guard let certificate = read(pem) else { return nil }
        defer { X509_free(certificate) }
        return PEMText.bytes { output in i2d_X509_bio(output, certificate) == 1 }
    }

    /// Whether a chain of one certificate under one authority is good at `now`, as TLS would check it.
    static func verifies(_ pem: String, against authority: String, at now: WallInstant) -> Bool {
        defer { ERR_clear_error() }
        guard let certificate = read(pem), let root = read(authority) else { return false }
        let store = X509_STORE_new()
        let context = X509_STORE_CTX_new()
        defer {
            X509_STORE_CTX_free(context)
            X509_STORE_free(store)
            X509_free(certificate)
            X509_free(root)
        }
        guard X509_STORE_add_cert(store, root) == 1, X509_STORE_CTX_init(context, store, certificate, nil) == 1 else {
            return false
        }
        X509_STORE_CTX_set_time(context, 0, Int(now.seconds))
        return X509_verify_cert(context) == 1
    }
}
