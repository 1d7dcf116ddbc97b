import Bytes
import Documents
import Reactor
import Server

extension ConfigurationReader {
    mutating func readListeners(_ map: DocumentMapping) {
        var lines: [String: Int] = [:]
        func taken(_ address: AddressConfiguration, _ value: DocumentValue) {
            if address.port == 0 { return }
            let text = "\(address.host):\(address.port)"
            if let line = lines[text] {
                value.report("this address is taken already, on line \(line)")
            } else {
                lines[text] = value.mark.line
            }
        }
        _ = map.required("listeners")
        result.listeners = entries(map, "listeners", what: "listener", minCount: 1) { entry, name in
            let given = entry.required("address")
            let tls = entry.mapping("tls", tls)
            let http2 = entry.choice("http2", default: HTTP2Offer.on)
            guard let given, let address = Self.address(given) else { return nil }
            taken(address, given)
            return ListenerConfiguration(name: name, address: address, tls: tls, http2: http2)
        }
        section(map, "admin") { admin in
            guard let given = admin.optional("address"), let address = Self.address(given) else { return }
            taken(address, given)
            result.admin = address
        }
    }

    private func tls(_ map: DocumentMapping) -> TLSEntry? {
        _ = map.required("certificates")
        let certificates = map.list("certificates", minCount: 1) { value in
            value.mapping { entry -> TLSEntry.Certificate? in
                let certificate = entry.requiredString("certificate")
                return TLSEntry.Certificate(certificateFile: certificate, keyFile: entry.requiredString("key"))
            }
        }
        var tls = TLSEntry(certificates: certificates)
        tls.clientCertificates = map.choice("client_certificates", default: tls.clientCertificates)
        tls.clientAuthoritiesFile = map.string("client_authorities")
        if let version = map.optional("minimum_version")?.choice(["1.2", "1.3"], what: "TLS version") {
            tls.allowsTLS12 = version == "1.2"
        }
        switch (tls.clientCertificates, tls.clientAuthoritiesFile) {
        case (.off, _?):
            map.optional("client_authorities")?.report(
                "without effect while 'client_certificates' is off; make it optional or required")
        case (.optional, nil), (.required, nil):
            map.optional("client_certificates")?.report(
                "client certificates need 'client_authorities', the file with those who may issue them")
        default: break
        }
        return tls
    }

    // MARK: - Addresses

    /// `127.0.0.1:8080`, `[::1]:8080`, or `:8080` for all of IPv4.
    static func address(_ value: DocumentValue) -> AddressConfiguration? {
        guard let text = value.string() else { return nil }
        if let address = AddressConfiguration(text) { return address }
        value.report(
            "expected an address and port such as 127.0.0.1:8080, [::1]:8080 or :8080, not '\(Suggestion.shortened(text))'"
        )
        return nil
    }
}

extension AddressConfiguration {
    /// Reads `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080` or `:8080`; nil for anything else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        var host = text[..<colon]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 &- 48 < 10 }), let port = UInt16(digits) else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard Self.isIPv6(host) else { return nil }
        } else if host == "localhost" {
            host = "127.0.0.1"
        } else if !host.isEmpty, !Self.isIPv4(host) {
            return nil
        }
        self.init(host: String(host), port: port)
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { $0.utf8.allSatisfy { $0 &- 48 < 10 } && UInt8($0) != nil }
    }

    /// Near enough: what passes here and is no address fails when it is listened on.
    private static func isIPv6(_ text: Substring) -> Bool {
        text.utf8.count >= 2 && text.utf8.count <= 45 && text.contains(":")
            && text.utf8.allSatisfy { $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 6 || $0 == 58 || $0 == 46 }
    }
}
