import Documents
import Testing

@Suite struct DocumentTests {
    @Test func nodesKnowTheirPlace() throws {
        let root = try Document.parse("a: 1\nlist:\n  - x\n  - {b: \"y\"}\nä: z\n", file: "f.yaml")
        guard case .mapping(let members) = root.content else {
            Issue.record("not a mapping")
            return
        }
        #expect(members.map(\.key.scalar) == ["a", "list", "ä"])
        #expect(members[2].value.mark == DocumentMark(file: "f.yaml", line: 5, column: 4))
        guard case .sequence(let elements) = members[1].value.content else {
            Issue.record("not a sequence")
            return
        }
        #expect(elements.map(\.mark.line) == [3, 4])
        #expect(elements.map(\.mark.column) == [5, 5])
        #expect(elements[1]["b"]?.mark == DocumentMark(file: "f.yaml", line: 4, column: 9))
        guard case .scalar("y", isPlain: false) = elements[1]["b"]?.content else {
            Issue.record("not a quoted scalar")
            return
        }
    }

    @Test(arguments: ["", "\n", "# only a comment\n", "---\n", "--- ~\n", "   ", "null"])
    func emptyDocumentIsAnEmptyMapping(text: String) throws {
        guard case .mapping(let members) = try Document.parse(text, file: "f").content else {
            Issue.record("not a mapping")
            return
        }
        #expect(members.isEmpty)
    }

    @Test(
        arguments: [
            ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: duplicate key 'a', first on line 1"),
            ("x:\n  a: 1\n  \"a\": 3\n", "f.yaml:3:3: duplicate key 'a', first on line 2"),
            ("{a: 1, a: 2}", "f.yaml:1:2: duplicate key 'a'"),
            ("a: &x 1\nb: *x\n", "f.yaml:2:4: aliases are not supported"),
            ("a: &x 1\n", "f.yaml:1:4: anchors are not supported"),
            ("a: &x\n  b: 1\n", "f.yaml:1:4: anchors are not supported"),
            ("a: *x\n", "f.yaml:1:4: found undefined alias"),
            ("sites: *\n", "f.yaml:1:9: a text that begins with '*' must be quoted"),
            ("a: !!int 1\n", "f.yaml:1:4: tags are not supported"),
            ("a: !!str 1\n", "f.yaml:1:4: tags are not supported"),
            ("a: !x [1]\n", "f.yaml:1:4: tags are not supported"),
            ("a: !x {b: 1}\n", "f.yaml:1:4: tags are not supported"),
            ("? [a, b]\n: 1\n", "f.yaml:1:3: a key must be plain text"),
            ("a: 1\n---\nb: 2\n", "f.yaml:2:1: but found another document"),
            ("a: [1, 2\n", "f.yaml:2:1: while parsing a flow sequence: did not find expected ',' or ']'"),
            (
                "a:\n\t- b\n",
                "f.yaml:2:1: while scanning for the next token: found character that cannot start any token"
            ),
            ("a: \"\\q\"\n", "f.yaml:1:5: while parsing a quoted scalar: found unknown escape character"),
            ("first: 1\nsecond: \u{1}\n", "f.yaml:2:9: control characters are not allowed"),
        ] as [(String, String)])
    func whatIsNotAcceptedIsRefusedWithItsPlace(text: String, message: String) {
        let errors = #expect(throws: DocumentErrors.self) { try Document.parse(text, file: "f.yaml") }
        #expect(errors?.description == message)
    }

    @Test func shortTextsAreReadLikeLongOnes() throws {
        for length in 1...40 {
            let value = String(repeating: "v", count: length)
            let root = try Document.parse("k: \(value)", file: "f")
            #expect(root["k"]?.scalar == value)
        }
        #expect(try Document.parse("k: 'a'", file: "f")["k"]?.scalar == "a")
    }

    @Test func depthAndSizeAreBounded() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try Document.parse(nested(32), file: "f") }
        let errors = #expect(throws: DocumentErrors.self) { try Document.parse(nested(33), file: "f") }
        #expect(errors?.description == "f:1:33: nested deeper than 32")
        #expect(throws: DocumentErrors.self) { try Document.parse(nested(100_000), file: "f") }
        let long = "a: " + String(repeating: "x", count: 1 << 20)
        #expect(throws: DocumentErrors.self) { try Document.parse(long, file: "f") }
    }

    @Test func nestedAliasesAreRefusedBeforeTheyGrow() {
        var text = "a0: &a0 [x, x]\n"
        for i in 1..<60 { text += "a\(i): &a\(i) [*a\(i - 1), *a\(i - 1)]\n" }
        text += "? *a59\n: 1\n"
        let errors = #expect(throws: DocumentErrors.self) { try Document.parse(text, file: "f") }
        #expect(errors?.description == "f:2:10: aliases are not supported")
    }

    @Test func starsAndAmpersandsInTextAreNoAliases() throws {
        let root = try Document.parse("sites: \"*\"\nops: ['production-order.*']\nnote: A & B *c\n", file: "f")
        #expect(root["sites"]?.scalar == "*")
        #expect(root["note"]?.scalar == "A & B *c")
    }

    @Test func everyPrefixAndMutationIsReadOrRefused() {
        let text = Array("a: 1\nb:\n  - {c: \"d\\n\", e: [f, 'g']}\n  - |\n    text\nh: >-\n  i\n".utf8)
        for length in 0...text.count {
            _ = try? Document.parse(String(decoding: text[..<length], as: UTF8.self), file: "f")
        }
        let telling = Array("\n :-[]{}\"'|>&*!?#%@`a\t,".utf8)
        var state: UInt64 = 42
        for _ in 0..<3_000 {
            var mutated = text
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                mutated[Int(state >> 33) % mutated.count] = telling[Int(state >> 50) % telling.count]
            }
            _ = try? Document.parse(String(decoding: mutated, as: UTF8.self), file: "f")
        }
    }
}
