import Testing

/// The checks are worth as much as the reading of code behind them.
@Suite struct SourceTreeTests {
    @Test(
        arguments: [
            ("let a = 1 // try! x", "let a = 1 "), (#"f("try! x") + g"#, #"f("") + g"#),
            (#"f("a\"b // c") // d"#, #"f("") "#), ("a /* try! */ b", "a  b"), ("a /* x /* y */ z */ b", "a  b"),
            (##"f(#"a"b\"#) c"##, ##"f("") c"##), (#"f("x \(g("y)")) z") w"#, #"f("") w"#), ("a / b", "a / b"),
        ] as [(String, String)])
    func commentsAndStringsAreBlanked(line: String, code: String) {
        #expect(CodeOnly.lines(of: [line]) == [code])
    }

    @Test func commentsAndStringsOfManyLinesAreBlanked() {
        #expect(CodeOnly.lines(of: ["a /* b", "try!", "c */ d"]) == ["a ", "", " d"])
        #expect(CodeOnly.lines(of: ["let a = \"\"\"", "  try! \" // x", "  \"\"\" + b"]) == ["let a = ", "", " + b"])
    }

    @Test func importsAreFoundInEveryForm() {
        let file = SourceFile(
            path: "Sources/A/A.swift", room: "A",
            text: """
                import A
                @testable import B
                #if canImport(C)
                    import C
                #endif
                internal import D
                import struct E.F
                // import G
                let important = 1
                """)
        #expect(file.imports.map(\.module) == ["A", "B", "C", "D", "E"])
        #expect(file.imports.map(\.line) == [1, 2, 4, 6, 7])
    }

    @Test func wordsAreFoundWhereTheyBegin() {
        let file = SourceFile(path: "Sources/A/A.swift", room: "A", text: "MyTask {\nTask {\n// Task {\nx.map(as!)")
        #expect(file.linesOfCode(with: "Task {") == [2])
        #expect(file.linesOfCode(with: "as!") == [4])
    }

    @Test func theTreeIsThere() {
        #expect(Repository.sources.contains { $0.path == "Sources/Bytes/Bytes.swift" })
        #expect(Repository.sources.count > 20)
    }
}
