import Documents
import JSON
import Testing

@testable import Contracts

@Suite struct SchemaTests {
    private func schema(_ text: String) throws -> Schema { try Schema.load(text, file: "schema.yaml") }

    /// `pointer: detail` of each violation.
    private func violations(_ schema: String, _ json: String) throws -> [String] {
        try self.schema(schema).validate(JSONValue.parse(json)).map(\.description)
    }

    private func refusal(_ text: String) throws -> String {
        do {
            _ = try schema(text)
            return ""
        } catch let errors as DocumentErrors {
            return errors.description
        }
    }

    static let accepted: [(schema: String, json: String)] = [
        ("{}", "[1, {\"a\": null}]"),
        ("type: integer", "3.0"), ("type: integer", "-1e3"), ("type: number", "0.1"),
        ("type: [string, 'null']", "null"), ("type: [string, integer]", "7"),
        ("enum: [a, 1, null]", "1.0"), ("const: {a: [1]}", "{\"a\": [1.0]}"),
        ("{type: number, minimum: 0, maximum: 10}", "10"), ("{type: number, minimum: 0}", "0"),
        ("{type: number, exclusiveMinimum: 0}", "0.000001"), ("{type: number, exclusiveMaximum: 1}", "0.999999999"),
        ("{type: number, multipleOf: 0.01}", "19.99"), ("{type: number, multipleOf: 0.1}", "0.3"),
        ("{type: number, multipleOf: 2.5}", "-7.5"), ("{type: number, multipleOf: 3}", "0"),
        ("{type: string, minLength: 2, maxLength: 2}", "\"äß\""), ("{type: string, maxLength: 1}", "\"👍\""),
        ("{type: string, pattern: '^[A-Z]{2}-[0-9]+$', maxLength: 20}", "\"AB-17\""),
        ("{type: string, format: date-time}", "\"2026-11-24T06:00:00.5+01:00\""),
        ("{type: string, format: date}", "\"2024-02-29\""),
        ("{type: string, format: uuid}", "\"7f3d2a10-8a55-4c6e-b1fe-0E9E2E2F1A77\""),
        ("{type: array, items: {type: integer}, minItems: 1, maxItems: 2, uniqueItems: true}", "[1, 2]"),
        (
            "{type: object, properties: {a: {type: string}}, required: [a], additionalProperties: false}",
            "{\"a\": \"\"}"
        ),
        ("{type: object, additionalProperties: {type: integer}}", "{\"x\": 1, \"y\": 2}"),
        ("oneOf: [{type: string}, {type: integer}]", "1"),
        ("anyOf: [{type: integer}, {type: number}]", "1"), ("allOf: [{minimum: 1}, {maximum: 3}]", "2"),
        ("minimum: 5", "\"text has no minimum\""),
    ]

    @Test(arguments: accepted) func rightValuesAreAccepted(schema: String, json: String) throws {
        #expect(try violations(schema, json) == [])
    }

    static let refused: [(schema: String, json: String, violations: [String])] = [
        ("type: string", "1", ["must be a string, not a number"]),
        ("type: integer", "1.5", ["must be an integer, not 1.5"]),
        ("type: integer", "1e40", ["must be an integer, not 1e40"]),
        ("type: number", "1e40", ["has more digits than the 18 that are exact here"]),
        ("type: [string, 'null']", "[]", ["must be a string or null, not an array"]),
        ("type: object", "null", ["must be an object, not null"]),
        (
            "enum: [backorder, close]", "\"bakorder\"",
            ["must be one of 'backorder', 'close'; did you mean 'backorder'?"]
        ),
        ("const: 3", "4", ["must be 3"]),
        ("{type: number, minimum: 0.5}", "0.4999", ["must be at least 0.5, not 0.4999"]),
        ("{type: number, maximum: 10}", "10.0000001", ["must be at most 10, not 10.0000001"]),
        ("{type: number, exclusiveMinimum: 0}", "-0.0", ["must be more than 0, not 0"]),
        ("{type: number, exclusiveMaximum: 1}", "1.0", ["must be less than 1, not 1"]),
        ("{type: number, multipleOf: 0.01}", "19.999", ["must be a multiple of 0.01, not 19.999"]),
        ("{type: string, minLength: 1}", "\"\"", ["must not be empty"]),
        ("{type: string, minLength: 3}", "\"ab\"", ["needs at least 3 characters, not 2"]),
        ("{type: string, maxLength: 3}", "\"abcd\"", ["may have at most 3 characters, not 4"]),
        (
            "{type: string, pattern: '^[A-Z]{2}-[0-9]+$', maxLength: 20}", "\"AB-\"",
            ["must match ^[A-Z]{2}-[0-9]+$"]
        ),
        (
            "{type: string, format: date-time}", "\"2026-11-24 06:00:00\"",
            ["must be a date and time with offset, such as 2026-11-24T06:00:00Z"]
        ),
        ("{type: string, format: date}", "\"2026-02-29\"", ["must be a date such as 2026-11-24"]),
        ("{type: string, format: uuid}", "\"7f3d2a10-8a55-4c6e-b1fe-0e9e2e2f1a7g\"", ["must be a UUID"]),
        ("{type: array, minItems: 2}", "[1]", ["needs at least 2 elements, not 1"]),
        ("{type: array, maxItems: 0}", "[1]", ["may have at most 0 elements, not 1"]),
        (
            "{type: array, items: {type: integer}}", "[1, \"2\", null]",
            [
                "/1: must be an integer, not a string", "/2: must be an integer, not null",
            ]
        ),
        ("{type: array, uniqueItems: true}", "[1, 1.0]", ["must not hold the same element twice"]),
        ("{type: object, additionalProperties: false}", "{\"a\": 1}", ["/a: is not known; the object has no members"]),
        (
            "{type: object, properties: {quantity: {}, unit: {}}, additionalProperties: false}", "{\"quantiy\": 1}",
            ["/quantiy: is not known; did you mean 'quantity'?"]
        ),
        ("oneOf: [{type: string}, {type: integer}]", "null", ["must be a string, not null"]),
        ("oneOf: [{type: integer}, {type: number}]", "1", ["matches more than one of the alternatives"]),
        (
            "oneOf: [{description: one, required: [a]}, {description: other, required: [b]}]", "{}",
            ["must match: one; or other"]
        ),
        (
            "allOf: [{minimum: 1}, {type: number, multipleOf: 2}]", "-1",
            [
                "must be at least 1, not -1", "must be a multiple of 2, not -1",
            ]
        ),
    ]

    @Test(arguments: refused) func wrongValuesAreToldWhatWouldBeRight(
        schema: String, json: String, expected: [String]
    ) throws {
        #expect(try violations(schema, json) == expected)
    }

    @Test func allViolationsAreReportedAtOnceWithPointers() throws {
        let schema = """
            type: object
            required: [quantity, lines]
            additionalProperties: false
            properties:
              quantity: {type: number, exclusiveMinimum: 0, multipleOf: 0.5}
              lines:
                type: array
                items:
                  type: object
                  required: [a/b]
                  properties: {a/b: {type: integer}, "~": {type: boolean}}
            """
        #expect(
            try violations(schema, #"{"quantity": -0.3, "lines": [{"a/b": "x"}, {"~": 1}], "more": 0}"#) == [
                "/quantity: must be more than 0, not -0.3", "/quantity: must be a multiple of 0.5, not -0.3",
                "/lines/0/a~1b: must be an integer, not a string", "/lines/1/a~1b: is required",
                "/lines/1/~0: must be a boolean, not a number",
                "/more: is not known; known are 'quantity', 'lines'",
            ])
    }

    @Test func violationsAreBounded() throws {
        let many = "[" + Array(repeating: "0", count: 5_000).joined(separator: ",") + "]"
        #expect(try violations("{type: array, items: {type: string}}", many).count == Violation.countMax)
    }

    @Test func defaultsFillWhatIsAbsentAtEveryDepth() throws {
        let schema = try schema(
            """
            type: object
            properties:
              final: {type: boolean, default: false}
              note: {type: [string, "null"], default: null}
              lines: {type: array, items: {type: object, properties: {n: {type: integer, default: 1}}}}
            """)
        #expect(
            schema.completed(["lines": [[:], ["n": 2]]])
                == ["lines": [["n": 1], ["n": 2]], "final": false, "note": nil])
        #expect(schema.completed(["final": true])["final"] == true)
    }

    static let mistakes: [(schema: String, error: String)] = [
        ("type: strin", "schema.yaml:1:7: unknown type 'strin'; did you mean 'string'?"),
        ("type: number\nminimun: 1", "schema.yaml:2:1: unknown key 'minimun'; did you mean 'minimum'?"),
        ("type: string\nminimum: 1", "schema.yaml:2:1: 'minimum' needs type number"),
        ("{type: number, minimum: 2, maximum: 1}", "no number is from 2 to 1"),
        ("{type: number, multipleOf: 0}", "must be more than 0"),
        ("{type: object, properties: {a: {}}, required: [b]}", "'b' is not among the properties"),
        ("{type: string, enum: [a, 1]}", "1 has none of the schema's types"),
        ("{type: integer, default: x}", "the default: must be an integer, not a string"),
        ("{type: integer, maximum: 5, examples: [3, 7]}", "the example: must be at most 5, not 7"),
        ("{type: string, pattern: '^a$'}", "'pattern' needs 'maxLength'"),
        ("{type: string, maxLength: 9, pattern: 'a'}", "a pattern begins with '^' and ends with '$'"),
        ("{type: string, format: email}", "unknown format 'email'"),
        ("$ref: '#/$defs/Nothing'", "unknown definition 'Nothing'"),
        ("$ref: 'https://example.com/x'", "expected '#/$defs/NAME'"),
        ("enum: []", "the list must not be empty"),
        ("{type: object, additionalProperties: 3}", "expected true or false"),
        ("patternProperties: {}", "unknown key 'patternProperties'"),
    ]

    @Test(arguments: mistakes) func mistakesInASchemaAreFoundWhenItIsLoaded(schema: String, error: String) throws {
        let found = try refusal(schema)
        #expect(found.contains(error), "\(found)")
    }

    @Test func definitionsThatLeadBackToThemselvesAreRefused() {
        do {
            _ = try ContractSet.load(files: [
                (
                    "types.yaml",
                    "types:\n  A:\n    $ref: '#/$defs/B'\n  B:\n    type: array\n    items: {$ref: '#/$defs/A'}\n"
                )
            ])
            Issue.record("accepted")
        } catch {
            #expect(error.description == "types.yaml:6:19: 'A' leads back to itself")
        }
    }
}
