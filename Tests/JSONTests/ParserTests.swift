import JSON
import Seeded
import Testing

@Suite struct ParserTests {
    @Test(
        arguments: [
            ("null", JSONValue.null), ("true", true), ("false", false), ("0", 0), ("-0", 0), ("  12 ", 12),
            ("\"\"", ""), ("\"a\"", "a"), ("[]", []), ("{}", [:]), ("\t[ 1 ,\r\n2 ]", [1, 2]),
            ("{\"a\":{\"b\":[null,{}]},\"c\":\"d\"}", ["a": ["b": [nil, [:]]], "c": "d"]),
            (#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC""#, .string("\"\\/\u{8}\u{c}\n\r\tA\u{e9}\u{20ac}")),
            (#""\ud83d\ude00\uDBFF\uDFFF""#, .string("\u{1F600}\u{10FFFF}")),
            (
                "\"\u{e9}\u{20ac}\u{1F600} long enough for two words\"",
                .string("\u{e9}\u{20ac}\u{1F600} long enough for two words")
            ),
            (#""\u0000""#, .string("\u{0}")), ("\"\u{7f}\"", .string("\u{7f}")),
            ("[[],[[]],{}]", [[], [[]], [:]]), (#"{"":0}"#, ["": 0]),
        ] as [(String, JSONValue)])
    func validTextIsRead(text: String, value: JSONValue) throws {
        #expect(try JSONValue.parse(text) == value)
        #expect(try JSONValue.parse(Array(text.utf8)) == value)
    }

    @Test(
        arguments: [
            ("", JSONError.Kind.unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("[", .unexpectedEnd, 1),
            ("[1", .unexpectedEnd, 2), ("[1,", .unexpectedEnd, 3), ("{", .unexpectedEnd, 1),
            ("{\"a\"", .unexpectedEnd, 4),
            ("{\"a\":", .unexpectedEnd, 5), ("\"a", .unexpectedEnd, 2), ("\"\\", .unexpectedEnd, 2),
            ("\"\\\"", .unexpectedEnd, 3), ("tru", .unexpectedEnd, 3), ("-", .unexpectedEnd, 1),
            ("1.", .unexpectedEnd, 2), ("1e", .unexpectedEnd, 2), ("1e+", .unexpectedEnd, 3),
            ("nul0", .unexpectedByte(48, expected: "'null'"), 3), ("True", .unexpectedByte(84, expected: "a value"), 0),
            ("[,]", .unexpectedByte(44, expected: "a value"), 1), ("[1,]", .unexpectedByte(93, expected: "a value"), 3),
            ("[1 2]", .unexpectedByte(50, expected: "',' or ']'"), 3),
            ("[1}", .unexpectedByte(125, expected: "',' or ']'"), 2),
            ("{\"a\":1]", .unexpectedByte(93, expected: "',' or '}'"), 6),
            ("{a:1}", .unexpectedByte(97, expected: "'\"' or '}'"), 1),
            ("{\"a\":1,}", .unexpectedByte(125, expected: "'\"'"), 7),
            ("{\"a\" 1}", .unexpectedByte(49, expected: "':'"), 5),
            ("{1:1}", .unexpectedByte(49, expected: "'\"' or '}'"), 1),
            ("'a'", .unexpectedByte(39, expected: "a value"), 0), ("NaN", .unexpectedByte(78, expected: "a value"), 0),
            ("+1", .unexpectedByte(43, expected: "a value"), 0), (".5", .unexpectedByte(46, expected: "a value"), 0),
            ("// c\n1", .unexpectedByte(47, expected: "a value"), 0), ("[1]]", .trailingText, 3),
            ("1 1", .trailingText, 2),
            ("{}x", .trailingText, 2), ("1\u{0}", .trailingText, 1), ("01", .invalidNumber, 1),
            ("-01", .invalidNumber, 2),
            ("1.e1", .invalidNumber, 2), ("-a", .invalidNumber, 1), ("1ee1", .invalidNumber, 2),
            ("0x10", .trailingText, 1), ("\u{feff}1", .byteOrderMark, 0),
            ("\u{a0}1", .unexpectedByte(0xC2, expected: "a value"), 0),
            ("\"a\nb\"", .controlCharacter(10), 2), ("\"\t\"", .controlCharacter(9), 1),
            ("\"12345678\u{1f}\"", .controlCharacter(31), 9), ("\"\u{0}\"", .controlCharacter(0), 1),
            (#""\x""#, .invalidEscape, 1), (#""\u12""#, .invalidEscape, 1), (#""\u12G4""#, .invalidEscape, 1),
            (#""\U0041""#, .invalidEscape, 1), ("\"\\\n\"", .invalidEscape, 1), ("\"\\\u{e9}\"", .invalidEscape, 1),
            (#""\ud800""#, .loneSurrogate, 1), (#""\udc00""#, .loneSurrogate, 1), (#""\ud800x""#, .loneSurrogate, 1),
            (#""\ud800\ud800""#, .loneSurrogate, 1), (#""ab\ud800\u0041""#, .loneSurrogate, 3),
            (#""\ud800\n""#, .loneSurrogate, 1), (#""\udc00\ud800""#, .loneSurrogate, 1),
            (#"{"a":1,"a":1}"#, .duplicateKey("a"), 7), (#"{"a":1,"b":2,"\u0061":3}"#, .duplicateKey("a"), 13),
            (#"{"\u00e9":1,"e\u0301":1}"#, .duplicateKey("\u{e9}"), 12),
            ("1e1234567890", .numberTooLong, 2), ("1e-0000000000", .numberTooLong, 3),
        ] as [(String, JSONError.Kind, Int)])
    func invalidTextIsRefused(text: String, kind: JSONError.Kind, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(text) }
        #expect(error?.kind == kind, "\(text)")
        #expect(error?.offset == offset, "\(text)")
    }

    @Test(
        arguments: [
            ([0x80], 0), ([0xC0, 0x80], 0), ([0xC1, 0xBF], 0), ([0xE0, 0x80, 0x80], 0), ([0xED, 0xA0, 0x80], 0),
            ([0xF0, 0x80, 0x80, 0x80], 0), ([0xF4, 0x90, 0x80, 0x80], 0), ([0xF5, 0x80, 0x80, 0x80], 0), ([0xFF], 0),
            ([0xC3], 0), ([0xE2, 0x82], 0), ([0xF0, 0x9F, 0x98], 0), ([0x61, 0xC3, 0xA9, 0xFE], 3),
            ([0x5C, 0x6E, 0xFE], 2), ([0xC3, 0x5C, 0x6E], 0),
        ] as [([UInt8], Int)])
    func bytesThatAreNotUTF8AreRefused(body: [UInt8], offset: Int) {
        for padding in [0, 1, 7, 8, 20] {
            let text = [0x22] + [UInt8](repeating: 0x61, count: padding) + body + [0x22]
            let error = #expect(throws: JSONError.self) { try JSONValue.parse(text) }
            #expect(error?.kind == .invalidUTF8)
            #expect(error?.offset == 1 + padding + offset)
            #expect(throws: JSONError.self) { try JSONValue.parse(Array("{".utf8) + text + Array(":1}".utf8)) }
        }
    }

    @Test(
        arguments: [
            ("{\n  \"a\": [1, {\"b/c~d\": tru}]\n}", 2, 25, "/a/1/b~1c~0d"),
            ("[1,\n2,\n x]", 3, 2, "/2"), ("{\"\u{e9}\u{1F600}\": x}", 1, 8, "/\u{e9}\u{1F600}"),
            ("{\"a\":1,\"b\":{\"a\":2,\"a\":3}}", 1, 19, "/b/a"), ("[[1],[2 3]]", 1, 9, "/1"), ("{\"a\":1 x", 1, 8, ""),
        ] as [(String, Int, Int, String)])
    func errorsNameThePlace(text: String, line: Int, column: Int, pointer: String) {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(text) }
        #expect(error?.line == line)
        #expect(error?.column == column)
        #expect(error?.pointer == pointer)
    }

    @Test func errorReadsAsASentence() {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(#"{"a": [x]}"#) }
        #expect(error?.description == "1:8: unexpected 'x', expected a value (at /a/0)")
    }

    @Test func depthIsBoundedWithoutRecursion() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try JSONValue.parse(nested(64))
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(nested(65)) }
        #expect(error?.kind == .tooDeep(max: 64))
        #expect(error?.offset == 64)
        let million = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONError.self) { try JSONValue.parse(million, limits: JSONLimits(depthMax: .max)) }
        _ = try JSONValue.parse(nested(512), limits: JSONLimits(depthMax: .max))
    }

    @Test func everyLimitHolds() throws {
        func kind(_ text: String, _ limits: JSONLimits) -> JSONError.Kind? {
            do throws(JSONError) {
                _ = try JSONValue.parse(text, limits: limits)
                return nil
            } catch { return error.kind }
        }
        #expect(kind("[1,2]", JSONLimits(bytesMax: 5)) == nil)
        #expect(kind("[1,2 ]", JSONLimits(bytesMax: 5)) == .tooManyBytes(max: 5))
        #expect(kind("[1,2]", JSONLimits(valuesMax: 3)) == nil)
        #expect(kind("[1,2]", JSONLimits(valuesMax: 2)) == .tooManyValues(max: 2))
        #expect(kind("-12.5", JSONLimits(numberBytesMax: 5)) == nil)
        #expect(kind("-12.50", JSONLimits(numberBytesMax: 5)) == .numberTooLong)
    }

    @Test func everyPrefixOfATextIsRefusedAndNothingCrashes() throws {
        let text = Array(#"{"a":[1,-2.5e+3,true,null,"x\n\ud83d\ude00é"],"b":{"c":{}}}"#.utf8)
        _ = try JSONValue.parse(text)
        for length in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONValue.parse(Array(text[..<length])) }
        }
    }

    @Test func mutatedTextsNeverCrashAndSurviveWriting() throws {
        var random = SeededGenerator(seed: 7)
        let seedText = Array(#"{"a":[1,-2.5e+3,true,null,"x\n\ud83d\ude00é"],"b":{"c":{"d":[[],{}]}},"e":0.10}"#.utf8)
        for _ in 0..<5_000 {
            var text = seedText
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: text[place] = UInt8.random(in: 0...255, using: &random)
                case 1: text.remove(at: place)
                case 2: text.insert(seedText[Int.random(in: 0..<seedText.count, using: &random)], at: place)
                default: text[place] = seedText[Int.random(in: 0..<seedText.count, using: &random)]
                }
            }
            guard let value = try? JSONValue.parse(text) else { continue }
            let again = try JSONValue.parse(value.bytes)
            #expect(again == value)
            #expect(again.canonicalBytes == value.canonicalBytes)
        }
    }

    @Test func longArraysTakeLinearTime() throws {
        let text = "[" + String(repeating: "1,", count: 200_000) + "1]"
        #expect(try JSONValue.parse(text).array?.count == 200_001)
    }
}
