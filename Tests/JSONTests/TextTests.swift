import Bytes
import JSON
import Testing

@Suite struct TextTests {
    func quoted(_ text: [UInt8]) -> String {
        var out: [UInt8] = []
        JSONText.appendString(text.span, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    @Test(
        arguments: [
            ("", #""""#), ("plain", #""plain""#), ("\"\\/", #""\"\\/""#), ("\u{8}\t\n\u{c}\r", #""\b\t\n\f\r""#),
            ("\u{0}\u{1f}\u{7f}", "\"\\u0000\\u001f\u{7f}\""),
            ("\u{e9}\u{20ac}\u{1F600}", "\"\u{e9}\u{20ac}\u{1F600}\""),
        ] as [(String, String)])
    func onlyWhatMustBeIsEscaped(text: String, json: String) {
        #expect(quoted(Array(text.utf8)) == json)
        var out: [UInt8] = []
        JSONText.appendString(text, to: &out)
        #expect(String(decoding: out, as: UTF8.self) == json)
    }

    @Test func everyByteAtEveryPlaceReadsBack() throws {
        for length in [1, 7, 8, 9, 17] {
            for place in 0..<length {
                for byte in UInt8(0)..<0x80 {
                    var text = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                    text[place] = byte
                    let value = try JSONValue.parse(quoted(text))
                    #expect(value.string.map { Array($0.utf8) } == text)
                }
            }
        }
    }

    @Test func everyPairOfBytesInAWordReadsBack() throws {
        let telling: [UInt8] = [0x00, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x5B, 0x5C, 0x5D, 0x7F]
        for first in telling {
            for second in telling {
                for place in 0..<7 {
                    var text = [UInt8](repeating: 0x21, count: 12)
                    text[place] = first
                    text[place + 1] = second
                    #expect(try JSONValue.parse(quoted(text)).string.map { Array($0.utf8) } == text)
                }
            }
        }
    }

    @Test(arguments: [[0xFF], [0x61, 0xC3], [0xED, 0xA0, 0x80], [0xC0, 0xAF, 0x22]] as [[UInt8]])
    func bytesThatAreNotUTF8AreReplaced(bytes: [UInt8]) throws {
        let value = try JSONValue.parse(quoted(bytes))
        #expect(value.string?.unicodeScalars.contains("\u{FFFD}") == true)
    }

    @Test func aLineIsBuiltInABuffer() throws {
        var buffer = IOBuffer(capacity: 8)
        buffer.append(UInt8(ascii: "{"))
        JSONText.appendName("sub", to: &buffer)
        JSONText.appendString("a\"b", to: &buffer)
        buffer.append(UInt8(ascii: ","))
        JSONText.appendName("n", to: &buffer)
        JSONText.append(-12, to: &buffer)
        buffer.append(UInt8(ascii: ","))
        JSONText.appendName("ok", to: &buffer)
        JSONText.append(true, to: &buffer)
        buffer.append(UInt8(ascii: ","))
        JSONText.appendName("none", to: &buffer)
        JSONText.appendNull(to: &buffer)
        buffer.append(UInt8(ascii: ","))
        JSONText.appendName("value", to: &buffer)
        (["x", 1, ["y": false]] as JSONValue).append(to: &buffer)
        buffer.append(UInt8(ascii: "}"))
        #expect(buffer.readable.text == #"{"sub":"a\"b","n":-12,"ok":true,"none":null,"value":["x",1,{"y":false}]}"#)
        #expect(try JSONValue.parse(buffer.readable)["value"]?[2]?["y"] == false)
    }
}
