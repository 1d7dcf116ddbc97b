/// Which addresses a webhook may be delivered to. A subscriber names a URL: without this it could make the gateway speak
/// to the plant's own machines (server-side request forgery). Asked about the address that is connected to, after the name
/// was resolved, so that a name that resolves to something else the second time gains nothing.
///
/// Only global unicast addresses are let through, and of these none that a registry keeps for something else
/// (IANA special-purpose registries, RFC 6890); what is listed as allowed goes before.
package struct AddressGuard: Sendable, Hashable {
    /// Ranges that are let through whatever they are: the operator's own decision.
    package var allowed: [AddressRange]

    package init(allowed: [AddressRange] = []) { self.allowed = allowed }

    private static let barred: [AddressRange] = [
        // RFC 791, RFC 1918, RFC 6598, RFC 1122, RFC 3927 (clouds' metadata among them), RFC 6890.
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        // Inside 2000::/3: protocols and Teredo (RFC 2928), documentation (RFC 3849, RFC 9637), 6to4 (RFC 3056).
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    ].compactMap { AddressRange($0) }
    /// The only IPv6 addresses that are routed between networks. (RFC 4291 §2.4)
    private static let globalUnicast = AddressRange("2000::/3")
    /// Addresses of IPv4 in IPv6: mapped (RFC 4291 §2.5.5.2) and NAT64 (RFC 6052 §2.1). What they mean counts.
    private static let carriers = ["::ffff:0:0/96", "64:ff9b::/96"].compactMap { AddressRange($0) }

    /// Whether the address, in numbers, may be connected to. What is no address may not.
    package func allows(_ text: String) -> Bool { IPAddress(text).map { allows($0) } ?? false }

    package func allows(_ address: IPAddress) -> Bool {
        if allowed.contains(where: { $0.contains(address) }) { return true }
        if address.bytes.count == 16, Self.carriers.contains(where: { $0.contains(address) }) {
            return allows(IPAddress(bytes: Array(address.bytes.suffix(4))))
        }
        if address.bytes.count == 16, Self.globalUnicast?.contains(address) != true { return false }
        return !Self.barred.contains { $0.contains(address) }
    }
}

/// An IP address, 4 or 16 bytes.
package struct IPAddress: Sendable, Hashable {
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// As `inet_pton` reads it: dotted decimal without leading zeros, or RFC 4291 §2.2. A zone behind `%` is left out.
    package init?(_ text: String) {
        let text = text.split(separator: "%", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        guard let bytes = text.contains(":") ? Self.six(text) : Self.four(text) else { return nil }
        self.bytes = bytes
    }

    private static func four(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ $0 &- 48 < 10 }), let byte = UInt8(part),
                part.utf8.count == 1 || part.first != "0"
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func six(_ text: String) -> [UInt8]? {
        func groups(_ text: Substring, isLast: Bool) -> [UInt8]? {
            if text.isEmpty { return [] }
            var bytes: [UInt8] = []
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            for (index, part) in parts.enumerated() {
                if isLast, index == parts.count - 1, part.contains(".") {
                    guard let four = four(String(part)) else { return nil }
                    bytes += four
                    continue
                }
                guard (1...4).contains(part.utf8.count), let word = UInt16(part, radix: 16), part.first != "+",
                    part.first != "-"
                else { return nil }
                bytes += [UInt8(word >> 8), UInt8(word & 255)]
            }
            return bytes
        }
        guard let gap = text.firstRange(of: "::") else {
            guard let bytes = groups(text[...], isLast: true), bytes.count == 16 else { return nil }
            return bytes
        }
        let rest = text[gap.upperBound...]
        guard rest.firstRange(of: "::") == nil, !rest.hasPrefix(":"),
            let head = groups(text[..<gap.lowerBound], isLast: false), let tail = groups(rest, isLast: true),
            head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }
}

/// Addresses with a prefix in common, `10.1.0.0/16`. (CIDR, RFC 4632)
package struct AddressRange: Sendable, Hashable {
    package let network: IPAddress
    package let prefix: Int

    /// Nil for what is none, also where bits behind the prefix are set. A single address is a range of one.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { return nil }
        let bits = address.bytes.count * 8
        guard let prefix = parts.count == 2 ? Int(parts[1]) : bits, (0...bits).contains(prefix) else { return nil }
        network = address
        self.prefix = prefix
        for bit in prefix..<bits where address.bytes[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1 { return nil }
    }

    package func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == network.bytes.count else { return false }
        let whole = prefix / 8
        guard address.bytes.prefix(whole) == network.bytes.prefix(whole) else { return false }
        let rest = prefix % 8
        return rest == 0 || (address.bytes[whole] ^ network.bytes[whole]) >> UInt8(8 - rest) == 0
    }
}
