import Testing

@testable import Patterns

@Suite struct PatternTests {
    /// Pattern, texts it matches, texts it does not.
    static let cases: [(String, [String], [String])] = [
        ("", ["", "a"], []),
        ("abc", ["abc", "xabcx"], ["ab", "acb", ""]),
        ("^abc$", ["abc"], ["xabc", "abcx", "abc\n"]),
        ("a.c", ["abc", "aéc", "a😀c"], ["a\nc", "ac"]),
        ("(?s)a.c", ["a\nc"], ["ac"]),
        ("^a*$", ["", "a", "aaaa"], ["b", "ab"]),
        ("^a+b?$", ["a", "aab"], ["", "b", "abb"]),
        ("^(a|b|cd)*$", ["", "abcd", "cdcd"], ["c", "acb"]),
        ("^a{2}$", ["aa"], ["a", "aaa"]),
        ("^a{2,}$", ["aa", "aaaaa"], ["a"]),
        ("^a{0,2}$", ["", "a", "aa"], ["aaa"]),
        ("^a{,2}$", ["a{,2}"], ["a", "aa"]),
        ("^x{$", ["x{"], ["x"]),
        ("^[a-c]+$", ["abc"], ["abd", ""]),
        ("^[^a-c]+$", ["xyz", "é"], ["xaz"]),
        ("^[]a]+$", ["]a]"], ["b"]),
        ("^[^]a]+$", ["xyz"], ["]"]),
        ("^[a-]+$", ["a-a"], ["b"]),
        ("^[\\d.]+$", ["1.2"], ["1,2"]),
        ("^[\\D]+$", ["abc"], ["1"]),
        ("^[[:alpha:]_]+$", ["ab_"], ["a1"]),
        ("^[[:^digit:]]+$", ["ab_"], ["a1"]),
        ("^\\d\\D\\w\\W\\s\\S$", ["1ab- x"], ["aab- x"]),
        ("^\\pL+$", ["aéßЖ"], ["a1"]),
        ("^\\p{Lu}\\P{Lu}$", ["Éa"], ["aa", "AA"]),
        ("^\\p{^Nd}$", ["a"], ["1"]),
        ("^[\\pL\\d]+$", ["Ж1"], ["-"]),
        ("(?i)^straße$", ["STRAßE", "straße"], ["strasse"]),
        ("(?i)^k$", ["k", "K", "\u{212A}"], ["c"]),
        ("(?i)^[a-c]$", ["B"], ["d"]),
        ("^a(?i)b$", ["ab", "aB"], ["Ab"]),
        ("^(?i:a)b$", ["Ab"], ["AB"]),
        ("^(?i-i:a)b$", ["ab"], ["Ab"]),
        ("(?m)^b$", ["a\nb\nc"], ["ab\nc"]),
        ("\\bword\\b", ["a word.", "word"], ["swordfish", "words"]),
        ("\\Bord", ["word"], ["ord"]),
        ("\\Aab\\z", ["ab"], ["ab\n", "xab"]),
        ("^\\x41\\x{1F600}\\101\\0$", ["A😀A\0"], ["A"]),
        ("^\\Qa.b*\\E+$", ["a.b*"], ["aabb"]),
        ("^\\.\\*\\-\\_$", [".*-_"], [""]),
        ("^(?P<site>[a-z]+)-(?<n>\\d+)$", ["graz-12"], ["graz-"]),
        ("^(?:ab)+?c*?$", ["ababcc"], ["abac"]),
        ("^(a*)*$", ["aaaa", ""], ["b"]),
        ("(a|aa)+$", ["aaaa"], ["b"]),
        ("$^", [""], ["a"]),
        ("^$", [""], ["a"]),
        ("a$|^b", ["ba", "xa", "bx"], ["ab c", "cb"]),
        ("^(|a)b$", ["b", "ab"], ["aab"]),
        ("\\t\\n\\f\\r\\v\\a", ["\t\n\u{0C}\r\u{0B}\u{07}"], [""]),
    ]

    @Test(arguments: cases)
    func patternMatchesWhatRE2Matches(_ text: String, _ matching: [String], _ others: [String]) throws {
        let pattern = try Pattern(text)
        for subject in matching { #expect(pattern.matches(subject), "\(text) on \(subject)") }
        for subject in others { #expect(!pattern.matches(subject), "\(text) on \(subject)") }
        // The program and the table are two ways to the same answer.
        for subject in matching + others {
            #expect(pattern.program.matches(subject) == pattern.matches(subject), "\(text) on \(subject)")
        }
    }

    static let refused: [(String, String)] = [
        ("(", "missing ')'"), (")", "unexpected ')'"), ("[a", "missing ']'"), ("*a", "nothing to repeat"),
        ("a**", "a repetition of a repetition"), ("a{1001}", "at most 1000"), ("a{3,2}", "reversed"),
        ("\\1", "references"), ("(?=a)", "'(?=' is not supported"), ("(?<!a)", "a group's name"),
        ("\\p{Greek}", "scripts are not"), ("\\", "ends with a backslash"), ("\\y", "unknown escape"),
        ("[z-a]", "two characters in order"), ("[[:foo:]]", "unknown class"), ("\\x{110000}", "expected '\\x41'"),
        ("(?", "missing"), ("(?i", "missing ')'"), ("((((a{100}){100}){100}){100})", "more than 2000 steps"),
        ("((()" + "{1000}){1000}){1000}", "more than 2000 steps"), ("(?i)[\\x00-\\x{10FFFF}]", "so large a class"),
        (String(repeating: "(", count: 65) + String(repeating: ")", count: 65), "deeper than 64"),
    ]

    @Test(arguments: refused)
    func wrongPatternIsRefusedWithAReason(_ text: String, _ reason: String) {
        let error = #expect(throws: PatternError.self) { try Pattern(text) }
        #expect(error?.message.contains(reason) == true, "\(text): \(error?.message ?? "")")
    }

    @Test func patternThatWouldBacktrackForeverEndsAtOnce() throws {
        let text = String(repeating: "a", count: 20_000) + "b"
        for pattern in ["^(a+)+$", "^(a|a)*$", "^(a*)*$", "^(.*a){12}$"] {
            #expect(try !Pattern(pattern).matches(text))
        }
    }

    @Test func smallPatternsHaveATableAndLargeOnesDoNot() throws {
        #expect(try Pattern("^[a-z]+-[0-9]{4}$").table != nil)
        #expect(try Pattern("^[a-z]+-[0-9]{4}$").stepsPerCharacter == 1)
        // 2^13 states.
        #expect(try Pattern("a.{12}$").table == nil)
        #expect(try Pattern("\\bword").table == nil)
    }
}
