import Seeded
import Testing

@testable import Bytes

@Test(arguments: [
    ("0", "0"), ("-0", "0"), ("0.000", "0"), ("0e99999999999", "0"), ("12", "12"), ("-0.5", "-0.5"),
    ("3.00", "3"), ("1e3", "1000"), ("1E+3", "1000"), ("1.5e1", "15"), ("1.5e-3", "0.0015"), ("120", "120"),
    ("0.1", "0.1"), ("-12.340", "-12.34"), ("1e18", "1000000000000000000"),
    ("0.000000000000000001", "0.000000000000000001"),
    ("9223372036854775807", "9223372036854775807"), ("-9223372036854775807", "-9223372036854775807"),
    ("1.000000000000000000000000000000", "1"), ("100000000000000000000000e-23", "1"), ("2e0000000000000", "2"),
    ("0.00000000000000000000000000001e29", "1"), ("9223372036854775.807", "9223372036854775.807"),
])
func decimalIsReadExactlyAndWrittenShortest(text: String, written: String) {
    #expect(ExactDecimal(text)?.description == written)
}

@Test(arguments: [
    "", "-", "+1", ".5", "5.", "1.e5", "01", "-01", "00", "1e", "1e+", "1e-", "e5", "1.2.3", "1,5", "0x10", "NaN",
    "Infinity", " 1", "1 ", "1e5x", "١", "--1", "1e1.5",
])
func textThatIsNoJSONNumberIsNoDecimal(text: String) {
    #expect(ExactDecimal(text) == nil)
}

@Test(arguments: [
    "9223372036854775808", "-9223372036854775808", "1e19", "10000000000000000000", "1e-19", "0.0000000000000000001",
    "1.0000000000000000001", "1e9999999999999999999999", "1e-9999999999999999999999",
    "922337203685477580.71e1000",
])
func decimalThatDoesNotFitIsRefusedAndNotRounded(text: String) {
    #expect(ExactDecimal(text) == nil)
}

@Test func equalDecimalsAreEqualAndHashAlikeHoweverWritten() {
    let forms = ["3", "3.0", "3.00", "30e-1", "0.3e1"].compactMap { ExactDecimal($0) }
    #expect(forms.count == 5)
    #expect(Set(forms).count == 1)
}

@Test func textOfADecimalReadsBackAsTheSameDecimal() {
    var random = SeededGenerator(seed: 4)
    for _ in 0..<5_000 {
        let shift = Int64.random(in: 0..<63, using: &random)
        let mantissa = Int64(truncatingIfNeeded: random.next()) >> shift
        guard mantissa != .min else { continue }
        let value = ExactDecimal(mantissa: mantissa, scale: UInt8.random(in: 0...18, using: &random))
        #expect(ExactDecimal(value.description) == value)
    }
}

/// A value as a numerator over 10^18, wide enough for sums and comparisons of anything that fits.
private func wide(_ d: ExactDecimal) -> Int128 {
    var m = Int128(d.mantissa)
    for _ in d.scale..<18 { m *= 10 }
    return m
}

@Test func sumDifferenceOrderAndProductAreExact() throws {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<5_000 {
        func make() -> ExactDecimal {
            ExactDecimal(
                mantissa: Int64.random(in: -1_000_000...1_000_000, using: &random),
                scale: UInt8.random(in: 0...8, using: &random))
        }
        let a = make()
        let b = make()
        #expect((a < b) == (wide(a) < wide(b)))
        let sum = try #require((a + b) as ExactDecimal?)
        #expect(wide(sum) == wide(a) + wide(b))
        let difference = try #require((a - b) as ExactDecimal?)
        #expect(wide(difference) == wide(a) - wide(b))
        #expect(sum - b == a)
        let product = try #require((a * b) as ExactDecimal?)
        var m = Int128(a.mantissa) * Int128(b.mantissa)
        for _ in 0..<(18 - Int(a.scale) - Int(b.scale)) { m *= 10 }
        #expect(wide(product) == m)
    }
}

@Test func resultsThatDoNotFitAreNil() {
    let largest = ExactDecimal(mantissa: .max, scale: 0)
    let smallest = ExactDecimal(mantissa: 1, scale: 18)
    #expect(largest + ExactDecimal(1) == nil)
    #expect(ExactDecimal(mantissa: .min, scale: 0) - ExactDecimal(1) == nil)
    #expect(largest + smallest == nil)
    #expect(largest * ExactDecimal(2) == nil)
    #expect(smallest * smallest == nil)
    #expect(smallest < largest)
    #expect(ExactDecimal(mantissa: .min, scale: 18) < ExactDecimal.zero)
    #expect(largest + ExactDecimal(mantissa: -.max, scale: 0) == .zero)
}

@Test func signAndZeroAreKnown() {
    #expect(ExactDecimal(-1).isNegative)
    #expect(!ExactDecimal.zero.isNegative)
    #expect(ExactDecimal.zero.isZero)
    #expect(ExactDecimal(mantissa: 0, scale: 18).scale == 0)
    #expect(ExactDecimal(mantissa: .min, scale: 0).description == "-9223372036854775808")
}
