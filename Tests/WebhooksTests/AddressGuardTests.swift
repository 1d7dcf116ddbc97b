import Testing

@testable import Webhooks

@Suite struct AddressGuardTests {
    static let addresses: [(String, Bool)] = [
        ("93.184.216.34", true), ("2606:2800:220:1:248:1893:25c8:1946", true), ("8.8.8.8", true),
        ("0.0.0.0", false), ("10.1.2.3", false), ("100.64.0.1", false), ("100.128.0.1", true), ("127.0.0.1", false),
        ("127.255.255.254", false), ("169.254.169.254", false), ("172.15.0.1", true), ("172.16.0.1", false),
        ("172.31.255.255", false), ("172.32.0.1", true), ("192.0.0.8", false), ("192.0.2.1", false),
        ("192.88.99.1", false), ("192.168.1.1", false), ("198.18.0.1", false), ("198.19.255.255", false),
        ("198.51.100.1", false), ("203.0.113.1", false), ("224.0.0.1", false), ("240.0.0.1", false),
        ("255.255.255.255", false), ("::", false), ("::1", false), ("::ffff:127.0.0.1", false),
        ("::ffff:7f00:1", false), ("::ffff:93.184.216.34", true), ("::ffff:10.0.0.1", false), ("::127.0.0.1", false),
        ("64:ff9b::7f00:1", false), ("64:ff9b::5db8:d822", true), ("64:ff9b:1::1", false), ("100::1", false),
        ("2001::1", false), ("2001:db8::1", false), ("2002:7f00:1::", false), ("3fff::1", false), ("5f00::1", false),
        ("fc00::1", false), ("fd12:3456::1", false), ("fe80::1", false), ("fe80::1%eth0", false), ("fec0::1", false),
        ("ff02::1", false), ("", false), ("localhost", false), ("127.1", false), ("0x7f.0.0.1", false),
        ("2130706433", false), ("010.0.0.1", false), ("1.2.3.4.5", false), ("::1::", false), (":::1", false),
        ("1:2:3:4:5:6:7:8:9", false), ("::g", false), ("256.1.1.1", false),
    ]

    @Test(arguments: addresses) func onlyAddressesOfTheOpenNetworkAreLetThrough(_ text: String, _ isAllowed: Bool) {
        #expect(AddressGuard().allows(text) == isAllowed)
    }

    @Test func whatIsListedGoesBefore() throws {
        let some = AddressGuard(allowed: ["10.20.0.0/16", "fd00::/8", "127.0.0.1"].compactMap { AddressRange($0) })
        #expect(some.allowed.count == 3)
        for text in ["10.20.3.4", "fd00::5", "127.0.0.1", "::ffff:10.20.3.4"] { #expect(some.allows(text), "\(text)") }
        for text in ["10.21.0.1", "127.0.0.2", "fc00::1", "::1"] { #expect(!some.allows(text), "\(text)") }
    }

    @Test(arguments: ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "x/8", "10.0.0.0/8/8", "::/129", "fe80::1/10", ""])
    func whatIsNoRangeIsRefused(_ text: String) { #expect(AddressRange(text) == nil) }
}
