import Bytes
import JSON
import Testing

@Suite struct ValueTests {
    @Test(
        arguments: [
            "0", "-0", "1.0", "1.10", "1E400", "123456789012345678901234567890", "0.1", "1e-7", "-12.5E+3",
        ] as [String])
    func numbersStayAsWritten(text: String) throws {
        #expect(try JSONValue.parse(text).text == text)
        #expect(JSONNumber(text)?.text == text)
    }

    @Test(arguments: ["", "-", "01", "1.", ".1", "+1", "1e", "1 ", " 1", "NaN", "1e1e1", "0x1", "١"])
    func textThatIsNoNumberMakesNone(text: String) {
        #expect(JSONNumber(text) == nil)
    }

    @Test(
        arguments: [
            ("1", 1), ("-0", 0), ("1.0", 1), ("1e3", 1_000), ("9223372036854775807", Int.max),
            ("-9223372036854775808", Int.min), ("9223372036854775808", nil), ("1.5", nil), ("1e30", nil),
        ] as [(String, Int?)])
    func integersAreExactOrNil(text: String, value: Int?) {
        #expect(JSONNumber(text)?.int == value)
    }

    @Test func decimalsAreNotRounded() throws {
        let value = try JSONValue.parse("0.1000")
        #expect(value.decimal == ExactDecimal(mantissa: 1, scale: 1))
        #expect(JSONValue(ExactDecimal(mantissa: -5, scale: 2)).text == "-0.05")
        #expect(value.number?.double == 0.1)
    }

    @Test(
        arguments: [
            ("0", "0"), ("-0", "0"), ("0.000", "0"), ("0e5", "0"), ("-0.0e-3", "0"), ("1.0", "1"), ("10e-1", "1"),
            ("1e2", "100"), ("1E+2", "100"), ("100", "100"), ("1.50", "1.5"), ("0.05", "0.05"), ("-5e-2", "-0.05"),
            ("1e21", "1e21"), ("1e20", "100000000000000000000"), ("123e-5", "0.00123"), ("1e-22", "1e-22"),
            ("123456789012345678901234567890", "12345678901234567890123456789e1"),
            ("12345678901234567890123456789.0e1", "12345678901234567890123456789e1"),
        ] as [(String, String)])
    func canonicalNumbersHaveOneText(text: String, canonical: String) throws {
        let number = try #require(JSONNumber(text))
        #expect(number.canonicalText == canonical)
        let again = try #require(JSONNumber(canonical))
        #expect(again == number)
        #expect(again.hashValue == number.hashValue)
        #expect(again.canonicalText == canonical)
    }

    @Test func objectsAreEqualInAnyOrder() throws {
        let a = try JSONValue.parse(#"{"a":1,"b":{"c":[1.0],"d":null}}"#)
        let b = try JSONValue.parse(#"{"b":{"d":null,"c":[1]},"a":1e0}"#)
        #expect(a == b)
        #expect(a.hashValue == b.hashValue)
        #expect(a.canonicalBytes == b.canonicalBytes)
        #expect(a != (try JSONValue.parse(#"{"a":1,"b":{"c":[1.0],"e":null}}"#)))
        #expect(a != (try JSONValue.parse(#"{"a":1}"#)))
        #expect(try JSONValue.parse("[1,2]") != JSONValue.parse("[2,1]"))
    }

    @Test func canonicalTextIsSortedByBytes() throws {
        let value = try JSONValue.parse(
            #"{ "b":1, "a":[ 1.0 , "\u00e9\/\u0041" ], "\uffff":2, "\ud83d\ude00":3, "B":4 }"#)
        #expect(
            String(decoding: value.canonicalBytes, as: UTF8.self)
                == "{\"B\":4,\"a\":[1,\"\u{e9}/A\"],\"b\":1,\"\u{ffff}\":2,\"\u{1F600}\":3}")
    }

    @Test func membersKeepTheirOrderAndCanBeChanged() {
        var object: JSONObject = ["b": 1, "a": 2]
        object["c"] = 3
        object["b"] = "x"
        #expect(object.keys == ["b", "a", "c"])
        object["a"] = nil
        #expect(object.keys == ["b", "c"])
        #expect(object["a"] == nil)
        #expect(JSONValue.object(object).text == #"{"b":"x","c":3}"#)
        #expect(JSONObject([("a", 1), ("a", 2)]).members.count == 1)
    }

    @Test func largeObjectsFindRemoveAndRefuseLikeSmallOnes() throws {
        var object = JSONObject()
        for i in 0..<100 { object["k\(i)"] = .init(i) }
        for i in stride(from: 0, to: 100, by: 3) { object["k\(i)"] = nil }
        for i in 0..<100 { #expect(object["k\(i)"]?.int == (i % 3 == 0 ? nil : i)) }
        let text = JSONValue.object(object).text
        #expect(try JSONValue.parse(text) == .object(object))
        let twice = String(text.dropLast()) + #","k98":1}"#
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(twice) }
        #expect(error?.kind == .duplicateKey("k98"))
    }

    @Test func lookingIntoAValueOfAnotherKindGivesNil() throws {
        let value = try JSONValue.parse(#"{"a":[{"b":true}]}"#)
        #expect(value["a"]?[0]?["b"]?.bool == true)
        #expect(value["a"]?[1] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(value["a"]?["b"] == nil)
        #expect(value[0] == nil)
        #expect(value.string == nil && value.int == nil && value.array == nil && !value.isNull)
        #expect(JSONValue.null.isNull)
    }
}
