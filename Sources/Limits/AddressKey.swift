/// A client's address as limits see it: an IPv4 address, or the /64 network of an IPv6 address, because a host or a
/// subscriber is given a whole /64 and can change the rest of its address at will. (RFC 4291 §2.5.4, RFC 6177)
package struct AddressKey: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    /// `address` is in host byte order: 127.0.0.1 is 0x7F00_0001.
    package init(ipv4 address: UInt32) {
        self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(address))
    }

    /// The two halves in host byte order. An IPv4-mapped address (`::ffff:a.b.c.d`) is the IPv4 address it maps.
    package init(ipv6 network: UInt64, _ interface: UInt64) {
        if network == 0, interface >> 32 == 0xFFFF {
            self.init(ipv4: UInt32(truncatingIfNeeded: interface))
        } else {
            self.init(high: network, low: 0)
        }
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}
