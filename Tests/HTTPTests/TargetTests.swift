import Bytes
import Seeded
import Testing

@testable import HTTP

@Suite struct TargetTests {
    private func segments(_ path: String) -> [String]? {
        let bytes = Array(path.utf8)
        return PathSegments.split(bytes.span)
    }

    private func risk(_ path: String) -> PathGuard.Risk? {
        let bytes = Array(path.utf8)
        return PathGuard.risk(of: bytes.span)
    }

    private func query(_ text: String) -> [String]? {
        let bytes = Array(text.utf8)
        return QueryString(bytes.span)?.parameters.map { "\($0.name)=\($0.value)" }
    }

    @Test func segmentsAreDecoded() {
        #expect(segments("/") == [])
        #expect(segments("/v1") == ["v1"])
        #expect(segments("/v1/") == ["v1"])
        #expect(segments("/v1/WH%20MO%2d12/%c3%A9") == ["v1", "WH MO-12", "\u{e9}"])
        #expect(segments("/a+b") == ["a+b"])
        #expect(segments("/...") == ["..."])
        #expect(segments("/" + String(repeating: "a/", count: 32))?.count == 32)
    }

    @Test(arguments: [
        "", "v1", "//", "/a//b", "/a//", "/.", "/..", "/a/./b", "/a/../b", "/%2e", "/%2E%2e/a", "/.%2e", "/a%2Fb",
        "/a%2fb", "/a%5Cb", "/a%00", "/a%0d%0a", "/a%7f", "/a%", "/a%4", "/a%zz", "/a%+1", "/%ff", "/%c0%af",
        "/%ed%a0%80", "/%c3", "/a\\b", "/" + String(repeating: "a/", count: 33),
    ])
    func deceptivePathHasNoSegments(_ path: String) { #expect(segments(path) == nil) }

    @Test(arguments: [
        "/", "/web", "/web/", "/web/login", "/a.b/..c/d../...", "/a%20b/%c3%a9", "/a%2B%40%3b", "/a;b=c", "/a%25",
        "/100%25-x", "/%7Euser", "/[x]|y", "/a%25z9",
    ])
    func honestPathHasNoRisk(_ path: String) { #expect(risk(path) == nil) }

    @Test(arguments: [
        ("", PathGuard.Risk.notAbsolute), ("web", .notAbsolute), ("*", .notAbsolute), ("//web", .emptySegment),
        ("/a//b", .emptySegment), ("/a//", .emptySegment), ("/./a", .dotSegment), ("/a/..", .dotSegment),
        ("/a/../b", .dotSegment), ("/a/..;x/b", .dotSegment), ("/a/.;/b", .dotSegment), ("/a/%2e%2e/b", .dotSegment),
        ("/a/.%2E/b", .dotSegment), ("/%77eb/database", .encodedPlainCharacter), ("/web%2ddb", .encodedPlainCharacter),
        ("/web%5fdb", .encodedPlainCharacter), ("/%30", .encodedPlainCharacter), ("/a%2Fb", .encodedDelimiter),
        ("/a%5cb", .encodedDelimiter), ("/a%00", .encodedDelimiter), ("/a%0A", .encodedDelimiter),
        ("/a%7F", .encodedDelimiter), ("/a%252e", .doubleEncoding), ("/a%25%32%65", .encodedPlainCharacter),
        ("/a%", .malformedEncoding), ("/a%2", .malformedEncoding), ("/a%g0", .malformedEncoding),
        ("/a\\b", .illegalCharacter), ("/a\0", .illegalCharacter), ("/%ff", .invalidText), ("/%c0%ae", .invalidText),
        ("/%c3/%a9", .invalidText),
    ])
    func pathWithASecondMeaningIsARisk(_ path: String, _ expected: PathGuard.Risk) { #expect(risk(path) == expected) }

    /// The promise behind the prefix check: decoding once or twice, and resolving dots, changes nothing about plain text.
    @Test func pathWithoutRiskDecodesToTheSamePrefix() {
        var random = SeededGenerator(seed: 7)
        let pieces = [
            "/", ".", "..", "%2e", "%2f", "%25", "w", "web", "%77", ";", "\\", "%5c", "%00", "%c3%a9", "2e", "-",
        ]
        var safe = 0
        for _ in 0..<20_000 {
            let path =
                "/"
                + (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    pieces.randomElement(using: &random) ?? ""
                }.joined()
            guard risk(path) == nil else { continue }
            safe += 1
            let bytes = Array(path.utf8)
            guard let once = PercentDecoding.decode(bytes.span) else {
                Issue.record("\(path)")
                continue
            }
            let onceBytes = Array(once.utf8)
            let twice = PercentDecoding.decode(onceBytes.span) ?? once
            for decoded in [once, twice] {
                let parts = decoded.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
                #expect(!parts.contains("..") && !parts.contains("."), "\(path)")
                #expect(
                    parts.count == path.split(separator: "/", omittingEmptySubsequences: false).count - 1, "\(path)")
                #expect(!decoded.contains("\\") && !decoded.contains("\0"), "\(path)")
                #expect(decoded.hasPrefix("/web") == path.hasPrefix("/web"), "\(path)")
            }
        }
        #expect(safe > 500)
    }

    @Test func queriesAreParsed() {
        #expect(query("") == [])
        #expect(query("a=1&b=2&a=3") == ["a=1", "b=2", "a=3"])
        #expect(query("a&b=&c==&&d=x=y") == ["a=", "b=", "c==", "d=x=y"])
        #expect(query("na%20me=v+w%2B%26%3d") == ["na me=v w+&="])
        #expect(query("a=%c3%a9%F0%9F%94%A7") == ["a=\u{e9}\u{1f527}"])
        let bytes = Array("a=1&a=2&b=3".utf8)
        let parsed = QueryString(bytes.span)
        #expect(parsed?["a"] == "1")
        #expect(parsed?.all("a") == ["1", "2"])
        #expect(parsed?["c"] == nil)
    }

    @Test(arguments: ["a=%", "a=%2", "a=%zz", "%=1", "=x", "a=%00", "a=%ff", "a=%c3", "a=%ed%a0%80", "a=\u{0}"])
    func malformedQueryIsRefused(_ text: String) { #expect(query(text) == nil) }

    @Test func queryOfTooManyParametersIsRefused() {
        #expect(query(Array(repeating: "a=1", count: 200).joined(separator: "&"))?.count == 200)
        #expect(query(Array(repeating: "a=1", count: 201).joined(separator: "&")) == nil)
    }
}
