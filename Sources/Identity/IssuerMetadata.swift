import JSON

/// What is read of an issuer's published metadata. (RFC 8414 §2, OpenID Connect Discovery 1.0 §3)
package struct IssuerMetadata: Sendable, Hashable {
    /// `jwks_uri`.
    package let keysURL: String

    /// Longest metadata, in bytes.
    package static let bytesMax = 262_144

    /// - Parameter issuer: what `issuer` must be, to the letter: metadata of somebody else would bring somebody else's
    ///   keys. (RFC 8414 §3.3)
    package init(_ body: [UInt8], issuer: String, allowsLoopback: Bool) throws(KeyError) {
        guard body.count <= Self.bytesMax else { throw KeyError("the metadata is longer than \(Self.bytesMax) bytes") }
        guard let object = (try? JSONValue.parse(body))?.object else {
            throw KeyError("the metadata is not a JSON object")
        }
        guard object["issuer"]?.string == issuer else {
            throw KeyError("the metadata's 'issuer' is not '\(issuer)'")
        }
        guard let url = object["jwks_uri"]?.string else { throw KeyError("the metadata has no 'jwks_uri'") }
        if let fault = IssuerURL.fault(url, allowsLoopback: allowsLoopback) {
            throw KeyError("the metadata's 'jwks_uri': \(fault)")
        }
        keysURL = url
    }
}

/// URLs that keys come from.
package enum IssuerURL {
    /// What is wrong with a URL, nil when keys may be fetched there: `https`, or `http` to this very machine.
    package static func fault(_ url: String, allowsLoopback: Bool) -> String? {
        guard url.utf8.count <= 2_048, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return "a URL is printable ASCII without spaces, at most 2048 bytes"
        }
        if url.hasPrefix("https://") { return authority(url).isEmpty ? "it names no host" : nil }
        guard url.hasPrefix("http://") else { return "keys are fetched by https only" }
        var host = authority(url)
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") { host = host[..<colon] }
        let isLoopback = ["127.0.0.1", "localhost", "[::1]"].contains(String(host))
        return isLoopback && allowsLoopback ? nil : "keys are fetched by https only"
    }

    private static func authority(_ url: String) -> Substring {
        guard let start = url.range(of: "://")?.upperBound else { return "" }
        return url[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    }

    /// Where an issuer's metadata may be: OpenID Connect appends its name to the issuer's path, RFC 8414 §3 puts its
    /// own between host and path.
    package static func metadata(of issuer: String) -> [String] {
        var base = issuer[...]
        while base.hasSuffix("/") { base = base.dropLast() }
        let openID = base + "/.well-known/openid-configuration"
        guard let start = base.range(of: "://")?.upperBound else { return [] }
        let slash = base[start...].firstIndex(of: "/") ?? base.endIndex
        let oauth = base[..<slash] + "/.well-known/oauth-authorization-server" + base[slash...]
        return [String(openID), String(oauth)]
    }
}

extension StringProtocol {
    /// The first place of `text`. (Without Foundation.)
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
