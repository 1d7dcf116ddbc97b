import Bytes
import Seeded
import Telemetry
import Testing

private func parse(_ text: String) -> TraceContext? {
    let bytes = Array(text.utf8)
    return TraceContext.parse(bytes.span)
}

private func text(_ context: TraceContext?) -> String? {
    guard let context else { return nil }
    var out: [UInt8] = []
    context.append(to: &out)
    return String(decoding: out, as: UTF8.self)
}

private let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

@Test func traceparentIsReadAndWrittenBack() throws {
    let context = try #require(parse(valid))
    #expect(context.traceHigh == 0x4bf9_2f35_77b3_4da6 && context.traceLow == 0xa3ce_929d_0e0e_4736)
    #expect(context.span == 0x00f0_67aa_0ba9_02b7)
    #expect(context.isSampled)
    #expect(text(context) == valid)
    #expect(valid.utf8.count == TraceContext.textLength)
    #expect(context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
}

@Test(arguments: [
    "",
    "00",
    // Wrong lengths of the parts and of the whole.
    "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e47366-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
    "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-010",
    // Upper case and what is no digit.
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
    "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    // Other separators, white space.
    "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
    " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",
    // Identifiers that are all zero.
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    // The version that does not exist, upper case, and a later one that doesn't go on with a dash.
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "FF-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01what",
    // Two fields joined into one.
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01,00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
])
func invalidTraceparentIsRefused(value: String) {
    #expect(parse(value) == nil)
}

@Test(arguments: [
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like",
    "fe-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
])
func laterVersionsAreReadAsFarAsTheyAreKnownAndWrittenAsOurs(value: String) {
    #expect(text(parse(value)) == valid)
}

@Test(arguments: [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("04", "00"), ("ff", "03"), ("09", "01")])
func flagsThatAreNotKnownAreNotPassedOn(read: String, written: String) {
    let value = String(valid.dropLast(2))
    #expect(text(parse(value + read)) == value + written)
}

@Test func halfOfTheTraceIdentifierMayBeZero() {
    for id in ["0000000000000000a3ce929d0e0e4736", "4bf92f3577b34da60000000000000000"] {
        let value = "00-\(id)-00f067aa0ba902b7-00"
        #expect(text(parse(value)) == value)
        #expect(parse(value)?.isSampled == false)
    }
}

@Test func aChildHasTheTraceAndItsOwnSpan() throws {
    let context = try #require(parse(valid))
    let child = context.child(span: 0xabc)
    #expect(text(child) == "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000abc-01")
    #expect(parse(try #require(text(child))) == child)
    #expect(context.child(span: 0).span != 0)
}

@Test func aNewTraceIsValidWhateverTheRandomBits() {
    var random = SeededGenerator(seed: 41)
    for words in [(0, 0, 0), (0, 1, 0), (1, 0, 7)]
        + (0..<200).map({ _ in (random.next(), random.next(), random.next()) })
    {
        for sampled in [false, true] {
            let context = TraceContext.create(random: words.0, words.1, span: words.2, sampled: sampled)
            #expect(context.isSampled == sampled)
            #expect(text(context).flatMap(parse) == context)
        }
    }
}

@Test func everyChangedByteIsRefusedOrReadAsWritten() {
    let bytes = Array(valid.utf8)
    for i in bytes.indices {
        for byte in 0...255 as ClosedRange<UInt8> {
            var changed = bytes
            changed[i] = byte
            guard let context = TraceContext.parse(changed.span) else { continue }
            var out: [UInt8] = []
            context.append(to: &out)
            // Version and flags are ours; the rest is what was read.
            #expect(out[2..<53] == changed[2..<53])
        }
    }
    for length in bytes.indices { #expect(parse(String(valid.prefix(length))) == nil) }
}
