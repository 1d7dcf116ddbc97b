import Bytes
import Limits
import Testing

@Test(arguments: [
    (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
    (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
])
func keysAreSipHashOf128Bits(length: Int, digest: String) {
    // From the vectors of the reference implementation: key and message are 00 01 02 …
    let reference = LimitKeyHasher(secret: 0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
    let message = (0..<length).map { UInt8($0) }
    let key = reference.key(message.span)
    var out: [UInt8] = []
    out.append(hex: key.high.byteSwapped)
    out.append(hex: key.low.byteSwapped)
    #expect(String(decoding: out, as: UTF8.self) == digest)
}

@Test func keysDependOnTheSecretAndOnEveryByte() {
    let other = LimitKeyHasher(secret: 1, 3)
    #expect(hasher.key("subject") != other.key("subject"))
    #expect(hasher.key("subject") == hasher.key("subject"))
    var seen: Set<LimitKey> = []
    for length in 0..<40 { seen.insert(hasher.key(String(repeating: "\u{0}", count: length))) }
    #expect(seen.count == 40)
}

@Test func addressesOfOneIPv6NetworkAreOneKeyAndMappedOnesAreIPv4() {
    #expect(AddressKey(ipv6: 0x2001_0db8_0000_0001, 1) == AddressKey(ipv6: 0x2001_0db8_0000_0001, 2))
    #expect(AddressKey(ipv6: 0x2001_0db8_0000_0001, 1) != AddressKey(ipv6: 0x2001_0db8_0000_0002, 1))
    #expect(AddressKey(ipv6: 0, 0xFFFF_7F00_0001) == AddressKey(ipv4: 0x7F00_0001))
    #expect(AddressKey(ipv4: 1) != AddressKey(ipv4: 2))
    // ::1 is no mapped address.
    #expect(AddressKey(ipv6: 0, 1) != AddressKey(ipv4: 1))
    #expect(hasher.key(AddressKey(ipv4: 1)) != hasher.key(AddressKey(ipv4: 2)))
}
