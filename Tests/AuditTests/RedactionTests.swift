import JSON
import Testing

@testable import Audit

@Suite struct RedactionTests {
    struct Case: Sendable {
        var rules: [String]
        var input: String
        var output: String
    }

    @Test(arguments: [
        Case(rules: [], input: #"{"a":1}"#, output: #"{"a":1}"#),
        Case(
            rules: [], input: #"{"Password":"x","b":{"API-Key":[1]}}"#,
            output: #"{"Password":"[redacted]","b":{"API-Key":"[redacted]"}}"#),
        Case(
            rules: ["note"], input: #"[{"note":{"deep":1}},{"notes":2}]"#,
            output: #"[{"note":"[redacted]"},{"notes":2}]"#),
        Case(
            rules: ["/lines/0/price"], input: #"{"lines":[{"price":1},{"price":2}],"price":3}"#,
            output: #"{"lines":[{"price":"[redacted]"},{"price":2}],"price":3}"#),
        Case(
            rules: ["/lines/*/price"], input: #"{"lines":[{"price":1},{"price":2}],"price":3}"#,
            output: #"{"lines":[{"price":"[redacted]"},{"price":"[redacted]"}],"price":3}"#),
        Case(rules: ["/a~1b/m~0n"], input: #"{"a/b":{"m~n":1,"x":2}}"#, output: #"{"a/b":{"m~n":"[redacted]","x":2}}"#),
        Case(rules: ["/a"], input: #"{"a":{"b":[1,2]},"c":{"a":1}}"#, output: #"{"a":"[redacted]","c":{"a":1}}"#),
        Case(rules: ["/a/b"], input: #"{"a":7}"#, output: #"{"a":7}"#),
        Case(rules: ["/"], input: #"{"":1,"b":2}"#, output: #"{"":"[redacted]","b":2}"#),
    ])
    func namedMembersAreReplaced(example: Case) throws {
        let value = try JSONValue.parse(example.input)
        #expect(Redaction(example.rules).applied(to: value).text == example.output)
    }

    @Test func secretsAreRedactedWithoutARule() throws {
        for name in Redaction.namesAlways {
            let value = JSONValue.object(JSONObject([(name.uppercased(), "s3cret")]))
            #expect(!Redaction().applied(to: value).text.contains("s3cret"), "\(name)")
        }
    }
}
