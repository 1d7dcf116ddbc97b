import Seeded
import Testing

@testable import Bytes

private func appended(_ body: (inout [UInt8]) -> Void) -> String {
    var out: [UInt8] = []
    body(&out)
    return String(decoding: out, as: UTF8.self)
}

/// The same on a buffer, which has faster ways of its own, and which must grow in the middle.
private func buffered(_ body: (IOBuffer) -> Void) -> String {
    let buffer = IOBuffer(capacity: 1)
    body(buffer)
    return buffer.readable.text
}

@Test func decimalsOfAllLengthsAreWrittenLikeTheStandardLibraryDoes() {
    var values = [0, 9, 10, 99_999_999, 100_000_000, 1_000_000_007, .max, .min, .min + 1, -1, -10]
    var power = 1
    for _ in 0..<18 {
        power *= 10
        values += [power - 1, power, power + 1, -power]
    }
    var random = SeededGenerator(seed: 7)
    for _ in 0..<2_000 {
        values.append(Int(truncatingIfNeeded: random.next()) >> Int.random(in: 0..<64, using: &random))
    }
    for value in values {
        #expect(appended { $0.append(decimal: value) } == String(value))
        #expect(buffered { $0.append(decimal: value) } == String(value))
    }
}

@Test func paddedDecimalsHaveLeadingZerosAndAreCutFromTheLeft() {
    let cases: [(Int, Int, String)] = [
        (0, 1, "0"), (7, 2, "07"), (123, 2, "23"), (2_026, 4, "2026"), (5, 9, "000000005"),
        (123_456_789, 9, "123456789"), (1_234_567_890_123, 9, "567890123"), (42, 18, "000000000000000042"),
        (.max, 18, "223372036854775807"),
    ]
    for (value, width, text) in cases {
        #expect(appended { $0.append(padded: value, width: width) } == text)
    }
}

@Test func hexadecimalWordsAreSixteenLowerCaseDigits() {
    #expect(appended { $0.append(hex: 0) } == "0000000000000000")
    #expect(appended { $0.append(hex: 0x00F0_67AA_0BA9_02B7) } == "00f067aa0ba902b7")
    #expect(appended { $0.append(hex: .max) } == "ffffffffffffffff")
    #expect(buffered { $0.append(hex: 0x00F0_67AA_0BA9_02B7) } == "00f067aa0ba902b7")
}

@Test func arrayAndBufferAreTheSameSink() {
    func write<Sink: ByteSink>(to sink: inout Sink) {
        sink.append("literal ")
        sink.append(text: "text é ")
        sink.append(decimal: -42)
        sink.append(UInt8(ascii: " "))
        sink.append(padded: 7, width: 3)
        sink.append(copying: Array(" bytes".utf8).span)
    }
    var array: [UInt8] = []
    write(to: &array)
    var buffer = IOBuffer(capacity: 1)
    write(to: &buffer)
    #expect(array == Array("literal text é -42 007 bytes".utf8))
    #expect(buffer.readable.array == array)
}

@Test func manySmallAppendsToAnArrayDoNotReallocateEachTime() {
    var array: [UInt8] = []
    let piece = Array("12345678".utf8)
    var capacities: Set<Int> = []
    for _ in 0..<4_000 {
        array.append(copying: piece.span)
        capacities.insert(array.capacity)
    }
    #expect(array.count == 32_000)
    #expect(capacities.count < 30)
}
