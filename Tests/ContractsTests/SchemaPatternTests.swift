import Foundation
import Testing

@testable import Contracts

@Suite struct SchemaPatternTests {
    static let table: [(pattern: String, matching: [String], other: [String])] = [
        ("^$", [""], ["a"]),
        ("^abc$", ["abc"], ["ab", "abcd", "xabc", ""]),
        ("^[a-f0-9]{4}$", ["00ff"], ["00f", "00fff", "00fg"]),
        ("^[^a-c]$", ["d", "ß", "👍"], ["a", "", "dd"]),
        ("^a?b*c+$", ["c", "abbcc", "bc"], ["a", "ab", "aac"]),
        ("^(a|bc|)d$", ["ad", "bcd", "d"], ["bd", "abcd"]),
        ("^(?:ab){2,3}$", ["abab", "ababab"], ["ab", "abababab"]),
        ("^x{0}$", [""], ["x"]), ("^x{2,}$", ["xx", "xxxxx"], ["x"]), ("^x{0,2}y$", ["y", "xxy"], ["xxxy"]),
        (#"^\d+\.\d{2}$"#, ["1.00", "123.45"], ["1.0", "1x00", "٣.00"]),
        (#"^[\w.-]+@\w+$"#, ["a.b-c@d"], ["@d", "a b@d"]),
        (#"^\$\^\[\]$"#, ["$^[]"], ["$^[", ""]),
        ("^.$", ["a", "ß"], ["\n", "", "ab"]),
        ("^(a*)*$", ["", "aaaa"], ["b"]), ("^((a|b)+c)+$", ["abc", "acbc"], ["", "ab", "c"]),
        ("^[a-]$", ["a", "-"], ["b"]), (#"^\D\W\S$"#, ["a-b"], ["1-b", "aab", "a- "]),
        // Where ECMA-262 and RE2 differ, it is as in ECMA-262, which readers of `/openapi.json` use.
        (#"^a.\s$"#, ["ab\u{0B}", "ab "], ["a\r ", "a\u{2028} ", "ab\u{A0}"]),
        (#"^[\s\\w-]$"#, ["\u{0B}", "\\", "w", "-"], ["a", "s"]), (#"^[!-\/]+$"#, ["!\"./"], ["0"]),
        (#"^[(.|)*$?]$"#, ["(", ".", "|", "$"], ["a", ""]),
    ]

    @Test(arguments: table) func patternsMatchTheWholeText(pattern: String, matching: [String], other: [String]) throws
    {
        let pattern = try SchemaPattern(pattern)
        for text in matching { #expect(pattern.matches(text), "\(pattern.text) should match '\(text)'") }
        for text in other { #expect(!pattern.matches(text), "\(pattern.text) should not match '\(text)'") }
    }

    @Test(arguments: [
        "", "^", "$", "abc", "^a", "a$", "^(a$", "^a)$", "^[a$", "^[]$", "^a**$", "^a+?$", "^*a$", "^a{2$", "^a{3,2}$",
        "^a{$", #"^\$"#, #"^\b$"#, #"^\1$"#, "^(?=a)$", "^(?<n>a)$", "^[z-a]$", #"^[\d-z]$"#, "^a$b$", "^a^b$",
        "^a{2000}$", "^(a{100}){100}$", "^[[a]]$", "^a|b$", "^[a-c-e]$", "^[--a]$", #"^[a-\d]$"#, #"^[\D]$"#, "^a{,2}$",
        "^(a))$",
        "^" + String(repeating: "(", count: 65) + "a" + String(repeating: ")", count: 65) + "$",
    ])
    func whatIsNotSupportedIsRefused(pattern: String) {
        #expect(throws: SchemaPattern.Refusal.self) { try SchemaPattern(pattern) }
    }

    @Test func aPatternThatExplodesElsewhereIsLinearHere() throws {
        let pattern = try SchemaPattern("^(a|a|aa)*b$")
        let start = ContinuousClock.now
        #expect(!pattern.matches(String(repeating: "a", count: 20_000)))
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    /// Small random patterns mean what the toolchain's own engine says they mean.
    @Test func randomPatternsAgreeWithAnotherEngine() throws {
        var state: UInt64 = 42
        func random(_ n: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % n
        }
        func expression(_ depth: Int) -> String {
            switch depth == 0 ? random(3) : random(7) {
            case 0: return "a"
            case 1: return "b"
            case 2: return "[ab]"
            case 3: return expression(depth - 1) + expression(depth - 1)
            case 4: return "(?:\(expression(depth - 1))|\(expression(depth - 1)))"
            case 5: return "(?:\(expression(depth - 1)))" + ["?", "*", "+", "{1,2}"][random(4)]
            default: return "(?:\(expression(depth - 1)))"
            }
        }
        for _ in 0..<150 {
            let text = expression(3)
            let ours = try SchemaPattern("^\(text)$")
            let theirs = try NSRegularExpression(pattern: "^(?:\(text))$")
            for _ in 0..<8 {
                let sample = (0..<random(7)).map { _ in ["a", "b", "c"][random(3)] }.joined()
                let range = NSRange(sample.startIndex..., in: sample)
                let expected = theirs.firstMatch(in: sample, range: range) != nil
                #expect(ours.matches(sample) == expected, "\(text) on '\(sample)'")
            }
        }
    }
}
