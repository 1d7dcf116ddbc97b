import Bytes
import Documents
import Testing

@Suite struct ReaderTests {
    private enum Level: String, CaseIterable { case debug, info, warning }

    /// Reads a text and gives the errors' lines.
    private func errors(_ text: String, _ read: (DocumentMapping) -> Void) -> [String] {
        let reader = DocumentReader()
        reader.read(text, file: "f.yaml", read)
        do throws(DocumentErrors) {
            try reader.finish()
            return []
        } catch {
            return error.errors.map(\.description)
        }
    }

    @Test func typedValuesAreRead() {
        let text = """
            name: mill
            port: 8443
            on: true
            wait: 1500ms
            size: 16KiB
            share: 0.25
            level: info
            tags: [a, b]
            inner:
              deep: 1
            gone: ~
            """
        let found = errors(text) { map in
            #expect(map.requiredString("name") == "mill")
            #expect(map.requiredInt("port", in: 0...65_535) == 8_443)
            #expect(map.bool("on", default: false))
            #expect(map.duration("wait", default: 0) == .milliseconds(1_500))
            #expect(map.byteCount("size", default: 0) == 16_384)
            #expect(map.optional("share")?.decimal() == ExactDecimal(mantissa: 25, scale: 2))
            #expect(map.choice("level", default: Level.debug) == .info)
            #expect(map.strings("tags") == ["a", "b"])
            #expect(map.mapping("inner") { $0.int("deep", in: 0...9) } == 1)
            #expect(map.optional("gone") == nil)
            #expect(map.string("other", default: "x") == "x")
        }
        #expect(found == [])
    }

    @Test func allErrorsOfAFileAreReportedAtOnce() {
        let text = """
            listner: 1
            port: 70000
            on: yes
            wait: 5
            size: 1KB
            level: warnin
            kind: purple
            tags: []
            list: x
            empty: ""
            number: 1.5
            quoted: "5"
            inner: {depp: 1}
            nothing:
            """
        let found = errors(text) { map in
            _ = map.optional("listen")
            _ = map.requiredInt("port", in: 0...65_535)
            _ = map.bool("on", default: false)
            _ = map.duration("wait", default: 0)
            _ = map.byteCount("size", default: 0)
            _ = map.choice("level", default: Level.debug)
            _ = map.choice("kind", default: Level.debug)
            _ = map.list("tags", minCount: 1) { $0.string() }
            _ = map.strings("list")
            _ = map.string("empty")
            _ = map.int("number", in: 0...9)
            _ = map.int("quoted", in: 0...9)
            _ = map.mapping("inner") { $0.int("deep", in: 0...9) }
            _ = map.requiredString("nothing")
            _ = map.requiredString("name")
        }
        #expect(
            found == [
                "f.yaml:1:1: missing key 'name'",
                "f.yaml:1:1: unknown key 'listner'; did you mean 'listen'?",
                "f.yaml:2:7: must be from 0 to 65535, not '70000'",
                "f.yaml:3:5: expected true or false, not 'yes'",
                "f.yaml:4:7: expected a duration such as 250ms, 30s, 5m, 12h or 7d, not '5'",
                "f.yaml:5:7: expected a size such as 512, 16KiB, 4MiB or 1GiB, not '1KB'",
                "f.yaml:6:8: unknown value 'warnin'; did you mean 'warning'?",
                "f.yaml:7:7: unknown value 'purple'; expected one of debug, info, warning",
                "f.yaml:8:7: the list must not be empty",
                "f.yaml:9:7: expected a list, not 'x'",
                "f.yaml:10:8: must not be empty",
                "f.yaml:11:9: expected a whole number, not '1.5'",
                "f.yaml:12:9: expected a whole number, not '5'",
                "f.yaml:13:9: unknown key 'depp'; did you mean 'deep'?",
                "f.yaml:14:1: key 'nothing' needs a value",
            ])
    }

    @Test func syntaxErrorsAreReportedByTheReaderToo() {
        #expect(errors("a: [", { _ in }).count == 1)
        #expect(errors("- a", { _ in }) == ["f.yaml:1:1: expected a mapping, not a list"])
    }

    @Test func freeMappingsHaveNoUnknownKeys() {
        let found = errors("x: 1\ny: two\n") { map in
            #expect(map.entries.map(\.name) == ["x", "y"])
            for entry in map.entries { _ = entry.value.int(in: 0...9) }
        }
        #expect(found == ["f.yaml:2:4: expected a whole number, not 'two'"])
    }

    @Test(
        arguments: [
            ("0s", 0), ("250ms", 250_000_000), ("30s", 30_000_000_000), ("5m", 300_000_000_000),
            ("2h", 7_200_000_000_000),
            ("1d", 86_400_000_000_000), ("7us", 7_000), ("9ns", 9), ("s", nil), ("-1s", nil), ("1.5s", nil),
            ("1 s", nil),
            ("99999999999d", nil), ("1S", nil), ("1m30s", nil), ("\"1s\"", nil), ("٣s", nil),
        ] as [(String, Nanoseconds?)])
    func durationsNeedAUnit(text: String, value: Nanoseconds?) {
        let found = errors("d: \(text)") { map in #expect(map.optional("d")?.duration() == value) }
        #expect(found.isEmpty == (value != nil))
    }

    @Test(
        arguments: [
            ("0", 0), ("512", 512), ("512B", 512), ("1KiB", 1_024), ("4MiB", 4 << 20), ("1GiB", 1 << 30), ("1K", nil),
            ("1kb", nil), ("-1", nil), ("0x10", nil), ("9999999999999GiB", nil),
        ] as [(String, Int?)])
    func sizesHaveBinaryUnits(text: String, value: Int?) {
        let found = errors("d: \(text)") { map in #expect(map.optional("d")?.byteCount() == value) }
        #expect(found.isEmpty == (value != nil))
    }

    @Test(
        arguments: [
            ("0", 0), ("-5", -5), ("007", nil), ("1e3", nil), ("0x1F", nil), ("1_000", nil), ("", nil),
            ("99999999999999999999", nil),
        ] as [(String, Int?)])
    func wholeNumbersAreDecimal(text: String, value: Int?) {
        let found = errors("d: \(text)") { map in #expect(map.required("d")?.int() == value) }
        #expect(found.isEmpty == (value != nil))
    }

    @Test func rangesAreShownInTheUnitsOfTheFile() {
        let found = errors("d: 2h\ns: 1GiB\n") { map in
            _ = map.duration("d", in: .seconds(1)...(.minutes(5)), default: .seconds(2))
            _ = map.byteCount("s", in: 1_024...(16 << 20), default: 1_024)
        }
        #expect(
            found == [
                "f.yaml:1:4: must be from 1s to 5m, not '2h'", "f.yaml:2:4: must be from 1KiB to 16MiB, not '1GiB'",
            ])
    }

    @Test(
        arguments: [
            ("listner", "listen"), ("Listen", "listen"), ("prot", "port"),
            ("production-order.relase", "production-order.release"),
            ("zzz", nil), ("x", nil), ("", nil),
        ] as [(String, String?)])
    func suggestionsAreNear(typed: String, nearest: String?) {
        let words = ["listen", "port", "production-order.release", "production-order.read"]
        #expect(Suggestion.nearest(to: typed, among: words) == nearest)
    }

    @Test func errorsAreBoundedAndSorted() {
        let text = (0..<500).map { "k\($0): 1" }.joined(separator: "\n")
        let found = errors(text) { _ in }
        #expect(found.count == DocumentLimits.errorsMax)
        let sorted = DocumentErrors([
            DocumentError(file: "b", line: 1, column: 1, message: "x"),
            DocumentError(file: "a", line: 2, column: 1, message: "x"),
            DocumentError(file: "a", line: 2, column: 1, message: "x"),
        ])
        #expect(sorted.description == "a:2:1: x\nb:1:1: x")
    }
}
