import Seeded
import Testing

@testable import Bytes

@Test(arguments: [
    ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
    ("foobar", "Zm9vYmFy"),
])
func base64URLAgreesWithTheTableOfTheRFC(plain: String, encoded: String) {
    // RFC 4648 §10, without padding.
    #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
    #expect(Base64URL.decode(encoded) == Array(plain.utf8))
}

@Test func base64URLUsesItsOwnTwoLetters() {
    #expect(Base64URL.encode([0xFB, 0xFF, 0xBF]) == "-_-_")
    #expect(Base64URL.decode("-_-_") == [0xFB, 0xFF, 0xBF])
    #expect(Base64URL.decode("+/+/") == nil)
}

@Test func base64URLTurnsAllBytesBackOverRandomLengths() {
    var random = SeededGenerator(seed: 3)
    for length in 0..<200 {
        let bytes = random.bytes(length)
        let text = Base64URL.encode(bytes)
        #expect(Base64URL.decode(text) == bytes)
        #expect(text.utf8.count == (length * 8 + 5) / 6)
    }
}

@Test(arguments: ["Zg==", "Zg=", "Zh", "Zm9", "Zm9vZ", "Z", "Zm 9", "Zm9\n", "Zm9v\n", " Zm9v", "Zm9v.", "Zmé0"])
func base64URLThatIsNotCanonicalIsRefused(text: String) {
    #expect(Base64URL.decode(text) == nil)
}

@Test func eachByteStringHasExactlyOneBase64URLText() {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var seen: [[UInt8]: Int] = [:]
    for a in letters {
        for b in letters {
            if let bytes = Base64URL.decode([a, b].span) { seen[bytes, default: 0] += 1 }
        }
    }
    #expect(seen.count == 256)
    #expect(seen.values.allSatisfy { $0 == 1 })
}

@Test func hexadecimalIsReadInBothCasesAndWrittenInLowerCase() {
    let all = (0...255).map { UInt8($0) }
    #expect(Hex.decode(Hex.encode(all)) == all)
    #expect(Hex.decode(Hex.encode(all).uppercased()) == all)
    #expect(Hex.encode([0x00, 0xAB, 0xFF]) == "00abff")
    for bad in ["0", "0g", "abc", "-1", " 0", "0x"] { #expect(Hex.decode(bad) == nil) }
}

/// Whole words, what is left behind them, and both kinds of sinks.
@Test func encodingsOfAnyLengthReadBack() {
    var random = SeededGenerator(seed: 7)
    for count in 0..<70 {
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        var sink = IOBuffer(capacity: 1)
        Base64URL.append(bytes.span, to: &sink)
        #expect(sink.readable.text == Base64URL.encode(bytes))
        let value = UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64(count % 64)
        let digits = String(value, radix: 16)
        sink.clear()
        sink.append(hex: value)
        #expect(sink.readable.text == String(repeating: "0", count: 16 - digits.count) + digits)
    }
}
