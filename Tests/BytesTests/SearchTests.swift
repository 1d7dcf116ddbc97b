import Seeded
import Testing

@testable import Bytes

// `#expect` takes a call apart and cannot hold a `Span`, which doesn't escape.
private func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.span.equals(b.span) }
private func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.span.equalsInConstantTime(b.span) }
private func begins(_ a: [UInt8], _ literal: StaticString) -> Bool { a.span.hasPrefix(literal) }

@Test func firstIndexAgreesWithANaiveSearchAtEveryOffset() {
    var random = SeededGenerator(seed: 1)
    for length in 0..<40 {
        // Few different bytes, among them those that trip a careless SWAR search: 0, 1, 0x7F, 0x80, 0xFF.
        let alphabet: [UInt8] = [0, 1, 0x7F, 0x80, 0x81, 0xFF, 10, 11]
        for _ in 0..<40 {
            let bytes = (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            for wanted in alphabet {
                for from in 0...length {
                    let naive = bytes[from...].firstIndex(of: wanted)
                    let found = bytes.span.firstIndex(of: wanted, from: from)
                    if found != naive { Issue.record("\(bytes) \(wanted) from \(from): \(String(describing: found))") }
                }
            }
        }
    }
}

@Test func equalityIsByteForByteAtEveryLengthAndDifference() {
    var random = SeededGenerator(seed: 2)
    for length in 0..<40 {
        let a = random.bytes(length)
        #expect(equal(a, a))
        #expect(equalInConstantTime(a, a))
        #expect(!equal(a, a + [0]))
        #expect(!equalInConstantTime(a, a + [0]))
        for i in 0..<length {
            var b = a
            b[i] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            #expect(!equal(a, b))
            #expect(!equalInConstantTime(a, b))
        }
    }
}

@Test func caseIsIgnoredForLettersOnly() {
    func same(_ text: String, _ literal: StaticString) -> Bool { Array(text.utf8).span.equalsIgnoringCase(literal) }
    #expect(same("Content-Length", "content-length"))
    #expect(same("CONTENT-LENGTH", "content-length"))
    #expect(!same("content-lengt", "content-length"))
    // '@' and '`', '[' and '{' differ by 0x20 as well.
    #expect(!same("@", "`"))
    #expect(!same("[", "{"))
    #expect(!same("\u{0D}", "-"))
}

@Test func prefixesAreCompared() {
    let bytes = Array("/v1/products".utf8)
    #expect(begins(bytes, "/v1/"))
    #expect(begins(bytes, ""))
    #expect(begins(bytes, "/v1/products"))
    #expect(!begins(bytes, "/v2/"))
    #expect(!begins(bytes, "/v1/products/"))
}

@Test(
    arguments: [
        ("0", 0), ("007", 7), ("9223372036854775807", Int.max), ("9223372036854775808", nil),
        ("99999999999999999999", nil),
        ("", nil), ("+1", nil), ("-1", nil), (" 1", nil), ("1 ", nil), ("1a", nil), ("١", nil),
    ] as [(String, Int?)])
func decimalReadsDigitsAndNothingElse(text: String, value: Int?) {
    #expect(Array(text.utf8).span.decimal == value)
}

@Test func wordsAreLittleEndian() {
    let bytes: [UInt8] = [9, 1, 2, 3, 4, 5, 6, 7, 8]
    #expect(bytes.span.word(at: 1) == 0x0807_0605_0403_0201)
}

#if !os(Windows)
    @Test func aWordBeyondTheEndIsRefusedEvenWhereTheOffsetWraps() async {
        await #expect(processExitsWith: .failure) {
            let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
            _ = bytes.span.word(at: .max - 3)
        }
        await #expect(processExitsWith: .failure) {
            let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
            _ = bytes.span.word(at: 2)
        }
    }
#endif
