import JSON
import Testing

@testable import Odoo

@Suite struct XMLRPCTests {
    private func call(_ parameters: String) -> String {
        "<?xml version=\"1.0\"?><methodCall><methodName>m</methodName><params>\(parameters)</params></methodCall>"
    }

    private func argument(_ value: String) throws(XMLRPCError) -> JSONValue? {
        try XMLRPCReader.methodCall(Array(call("<param>\(value)</param>").utf8)).arguments.first
    }

    static let values: [(String, JSONValue)] = [
        ("<value><int>-12</int></value>", -12), ("<value><i4> 7 </i4></value>", 7),
        ("<value><i8>9000000000</i8></value>", 9_000_000_000), ("<value><boolean>1</boolean></value>", true),
        ("<value><boolean>0</boolean></value>", false), ("<value><string>a b</string></value>", "a b"),
        ("<value>plain</value>", "plain"), ("<value> </value>", " "), ("<value></value>", ""), ("<value/>", ""),
        ("<value><string/></value>", ""), ("<value><nil/></value>", nil), ("<value><ex:nil/></value>", nil),
        ("<value><string>a &lt;&amp;&gt; &quot;&apos; &#233;&#x1F600;</string></value>", "a <&> \"' é😀"),
        ("<value><string>one\r\ntwo</string></value>", "one\ntwo"),
        ("<value><dateTime.iso8601>20261125T06:30:00</dateTime.iso8601></value>", "2026-11-25 06:30:00"),
        ("<value><dateTime.iso8601>2026-11-25T06:30:00</dateTime.iso8601></value>", "2026-11-25 06:30:00"),
        ("<value><base64>\nYWJj\nZA==\n</base64></value>", "YWJjZA=="),
        ("<value><array><data></data></array></value>", []), ("<value><array><data/></array></value>", []),
        (
            "<value>\n <array>\n<data>\n<value><int>1</int></value>\n<value>x</value>\n</data>\n</array>\n</value>",
            [1, "x"]
        ),
        ("<value><struct></struct></value>", [:]), ("<value><struct/></value>", [:]),
        (
            "<value><struct><member><name>a</name><value><int>1</int></value></member>\n<member ><name>b&amp;</name>"
                + "<value><array><data><value><boolean>1</boolean></value></data></array></value></member></struct></value>",
            ["a": 1, "b&": [true]]
        ),
    ]

    @Test(arguments: values)
    func valueIsRead(_ text: String, _ value: JSONValue) throws { #expect(try argument(text) == value) }

    @Test func doublesAreWrittenInManyWays() throws {
        for (text, json) in [
            ("1.5", "1.5"), ("+1.5", "1.5"), (".5", "0.5"), ("-.5", "-0.5"), ("1.", "1.0"), ("007.0", "7.0"),
            ("1e3", "1e3"),
        ] {
            #expect(
                try argument("<value><double>\(text)</double></value>") == .number(try #require(JSONNumber(json))),
                "\(text)")
        }
    }

    static let refused: [(String, String)] = [
        ("<value><int>x</int></value>", "the integer is none"),
        ("<value><int>2147483648</int></value>", "does not fit"),
        ("<value><boolean>true</boolean></value>", "a boolean is 0 or 1"),
        ("<value><double>nan</double></value>", "the double is none"),
        ("<value><double>0x10</double></value>", "the double is none"),
        ("<value><dateTime.iso8601>20261340T06:30:00</dateTime.iso8601></value>", "expected a time"),
        ("<value><base64>a!</base64></value>", "the base64 is none"),
        ("<value><base64>abc</base64></value>", "the base64 is none"),
        ("<value><nil>x</nil></value>", "nil holds nothing"), ("<value><float>1</float></value>", "unknown type"),
        ("<value type=\"x\">a</value>", "expected <value>"),
        ("<value><string a=\"b\">x</string></value>", "unknown type"),
        ("<value><string>a<b/></string></value>", "expected </string>"),
        ("<value><string><![CDATA[a]]></string></value>", "expected </string>"),
        ("<value><!-- c --><int>1</int></value>", "unknown type"), ("<value><?php ?></value>", "unknown type"),
        ("<value><string>&nbsp;</string></value>", "no reference"),
        ("<value><string>&xxe;</string></value>", "no reference"),
        ("<value><string>&#0;</string></value>", "no reference"),
        ("<value><string>&#xD800;</string></value>", "no reference"),
        ("<value><string>a & b</string></value>", "'&' begins no reference"),
        ("<value><string>\u{01}</string></value>", "a control character"),
        (
            "<value><struct><member><name>a</name><value>1</value></member><member><name>a</name><value>2</value></member></struct></value>",
            "occurs twice"
        ),
        ("<value><struct><member><value>1</value><name>a</name></member></struct></value>", "expected <name>"),
        ("<value><array><value>1</value></array></value>", "expected <data>"),
        ("<value><int>1</int>", "expected </value>"),
        ("<value><int>1</int><int>2</int></value>", "expected </value>"),
        ("<VALUE><int>1</int></VALUE>", "expected <value>"),
    ]

    @Test(arguments: refused)
    func anythingElseIsRefused(_ text: String, _ reason: String) {
        let error = #expect(throws: XMLRPCError.self) { _ = try argument(text) }
        #expect(error?.message.contains(reason) == true, "\(text): \(error?.message ?? "")")
    }

    static let documents: [(String, String)] = [
        ("", "expected <methodCall>"), ("<methodCall>", "expected <methodName>"),
        (
            "<!DOCTYPE methodCall [<!ENTITY a \"b\">]><methodCall><methodName>m</methodName></methodCall>",
            "a document type"
        ),
        ("<?xml version=\"1.0\"?><!DOCTYPE x SYSTEM \"file:///etc/passwd\"><methodCall/>", "a document type"),
        (
            "<?xml version=\"1.0\" encoding=\"utf-16\"?><methodCall><methodName>m</methodName></methodCall>",
            "only UTF-8"
        ),
        ("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><methodCall/>", "only UTF-8"),
        ("<?xml version=\"1.0\"", "does not end"),
        ("<methodCall><methodName></methodName></methodCall>", "has no name"),
        ("<methodCall><methodName>m</methodName></methodCall>x", "something follows"),
        (
            "<methodCall><methodName>m</methodName><params><param><value>1</value></param></methodCall>",
            "expected </params>"
        ),
        ("<x:methodCall xmlns:x=\"y\"/>", "expected <methodCall>"),
        ("\u{FEFF}<methodCall><methodName>m</methodName>", "expected </methodCall>"),
    ]

    @Test(arguments: documents)
    func documentThatIsNoCallIsRefused(_ text: String, _ reason: String) {
        let error = #expect(throws: XMLRPCError.self) { _ = try XMLRPCReader.methodCall(Array(text.utf8)) }
        #expect(error?.message.contains(reason) == true, "\(text): \(error?.message ?? "")")
    }

    @Test func nestingAndNumberOfValuesAreBounded() {
        func nested(_ depth: Int) -> String {
            String(repeating: "<value><array><data>", count: depth)
                + String(repeating: "</data></array></value>", count: depth)
        }
        #expect(throws: Never.self) { _ = try argument(nested(XMLRPCReader.depthMax)) }
        #expect(throws: XMLRPCError.self) { _ = try argument(nested(XMLRPCReader.depthMax + 1)) }
        #expect(throws: XMLRPCError.self) { _ = try argument(nested(100_000)) }
        let many =
            "<value><array><data>" + String(repeating: "<value/>", count: XMLRPCReader.valuesMax)
            + "</data></array></value>"
        #expect(throws: XMLRPCError.self) { _ = try argument(many) }
    }

    @Test func everyCutOfACallIsRefused() {
        let whole = Array(
            call(
                "<param><value><struct><member><name>a</name><value><int>1</int></value></member></struct></value></param>"
            ).utf8)
        for length in 0..<whole.count {
            #expect(throws: XMLRPCError.self) { _ = try XMLRPCReader.methodCall(Array(whole[..<length])) }
        }
    }

    @Test func answersAreWrittenAsOdooWritesThem() throws {
        for number in ["225", "226"] {
            let recording = try Recording.find(19, number)
            let value = try XMLRPCReader.methodResponse(Array(recording.responseText.utf8))
            #expect(String(decoding: XMLRPCWriter.response(value), as: UTF8.self) == recording.responseText)
        }
        for number in ["228", "229", "230"] {
            let recording = try Recording.find(19, number)
            let fault = try XMLRPCReader.methodResponse(Array(recording.responseText.utf8))["fault"]
            let written = XMLRPCWriter.fault(code: fault?["faultCode"] ?? 0, text: fault?["faultString"]?.string ?? "")
            #expect(String(decoding: written, as: UTF8.self) == recording.responseText)
        }
    }

    @Test func whatJSONHoldsIsWrittenAndReadBack() throws {
        let value: JSONValue = [
            "a": [1, -5, "x<&>\r\n\u{1}y", true, false], "big": 9_000_000_000, "none": nil, "é": "😀",
        ]
        let read = try XMLRPCReader.methodResponse(XMLRPCWriter.response(value))
        #expect(read == ["a": [1, -5, "x<&>\r\ny", true, false], "big": 9_000_000_000, "none": false, "é": "😀"])
    }
}
