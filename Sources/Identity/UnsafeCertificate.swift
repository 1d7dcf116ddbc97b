import Bytes
import CSystem
import Glibc

extension ClientCertificate {
    /// Longest certificate that is read, in bytes.
    package static let derBytesMax = 65_536

    /// Reads one certificate in DER, as TLS hands it over.
    package init(der: [UInt8]) throws(CertificateError) {
        defer { ERR_clear_error() }
        guard !der.isEmpty, der.count <= Self.derBytesMax else { throw .unreadable }
        let (certificate, used) = der.withUnsafeBufferPointer { buffer -> (OpaquePointer?, Int) in
            var at = buffer.baseAddress
            let certificate = d2i_X509(nil, &at, buffer.count)
            return (certificate, (at.map { $0 - (buffer.baseAddress ?? $0) }) ?? 0)
        }
        guard let certificate else { throw .unreadable }
        defer { X509_free(certificate) }
        guard used == der.count else { throw .unreadable }

        thumbprint = Base64URL.encode(Digest.sha256(der))
        commonName = try Self.commonName(of: certificate)
        var names: (dns: [String], uris: [String], emails: [String]) = ([], [], [])
        try Self.alternativeNames(of: certificate, into: &names)
        dnsNames = names.dns
        uris = names.uris
        emails = names.emails
        issuer = Self.text(of: X509_get_issuer_name(certificate))
        serial = Self.serial(of: certificate)
        guard let from = Self.instant(X509_get0_notBefore(certificate)),
            let to = Self.instant(X509_get0_notAfter(certificate))
        else { throw .unreadable }
        notBefore = from
        notAfter = to
    }

    private static func commonName(of certificate: OpaquePointer) throws(CertificateError) -> String? {
        let name = X509_get_subject_name(certificate)
        let place = X509_NAME_get_index_by_NID(name, NID_commonName, -1)
        if place < 0 { return nil }
        guard X509_NAME_get_index_by_NID(name, NID_commonName, place) < 0 else { throw .ambiguousName }
        let data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, place))
        return try text(data)
    }

    private static func alternativeNames(
        of certificate: OpaquePointer, into names: inout (dns: [String], uris: [String], emails: [String])
    ) throws(CertificateError) {
        // -1: the extension is not there; anything else without a value: it is there twice or not readable.
        var status: CInt = 0
        guard let raw = X509_get_ext_d2i(certificate, NID_subject_alt_name, &status, nil) else {
            if status != -1 { throw .unreadable }
            return
        }
        let list = OpaquePointer(raw)
        defer { GENERAL_NAMES_free(list) }
        for place in 0..<OPENSSL_sk_num(list) {
            guard let value = OPENSSL_sk_value(list, place) else { continue }
            let name = value.assumingMemoryBound(to: GENERAL_NAME.self)
            switch name.pointee.type {
            case GEN_DNS: names.dns.append(try text(name.pointee.d.dNSName))
            case GEN_URI: names.uris.append(try text(name.pointee.d.uniformResourceIdentifier))
            case GEN_EMAIL: names.emails.append(try text(name.pointee.d.rfc822Name))
            default: break
            }
        }
    }

    private static func text(_ string: UnsafePointer<ASN1_STRING>?) throws(CertificateError) -> String {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&bytes, string)
        guard count >= 0, let bytes else { throw .unreadable }
        defer { CRYPTO_free(bytes, nil, 0) }
        let buffer = UnsafeBufferPointer(start: bytes, count: Int(count))
        guard !buffer.isEmpty, buffer.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
            let text = String(validating: buffer, as: UTF8.self)
        else { throw .illegalName }
        return text
    }

    private static func text(of name: OpaquePointer?) -> String {
        PEMText.write { output in csystem_print_name(output, name) >= 0 } ?? ""
    }

    private static func serial(of certificate: OpaquePointer) -> String {
        let number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nil)
        defer { BN_free(number) }
        guard let hex = BN_bn2hex(number) else { return "" }
        defer { CRYPTO_free(hex, nil, 0) }
        return String(cString: hex)
    }

    private static func instant(_ time: UnsafePointer<ASN1_TIME>?) -> WallInstant? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        let year = Int(parts.tm_year) + 1900
        // 9999-12-31T23:59:59Z means "no end" (RFC 5280 §4.1.2.5); the clock here ends in 2262.
        if year > 2200 { return WallInstant(nanoseconds: .max) }
        return CivilTime(
            year: year, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday), hour: Int(parts.tm_hour),
            minute: Int(parts.tm_min), second: Int(parts.tm_sec)
        ).instant
    }
}
