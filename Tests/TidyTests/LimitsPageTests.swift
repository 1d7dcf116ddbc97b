import Testing

/// An operator looks limits up in one page, so none may be missing there.
@Suite struct LimitsPageTests {
    /// Files whose properties are limits, and words that make one of it.
    static let files = [
        "Sources/HTTP/HTTPLimits.swift", "Sources/HTTP/HTTP2Limits.swift", "Sources/Server/ServerConfiguration.swift",
    ]

    /// Names of stored properties that bound something.
    static func limits(in file: SourceFile) -> [String] {
        file.code.compactMap { line in
            guard let match = line.firstMatch(of: /^    (?:public |package )?(?:var|let) (\w+)\b(?!.*\{)/) else {
                return nil
            }
            let name = String(match.1)
            return ["Max", "Min", "Timeout"].contains(where: name.hasSuffix) ? name : nil
        }
    }

    @Test(arguments: files)
    func everyLimitIsExplained(path: String) throws {
        let page = try Repository.text("docs/LIMITS.md")
        let file = try #require(Repository.sources.first { $0.path == path })
        let names = Self.limits(in: file)
        #expect(names.count >= 6)
        for name in names { #expect(page.contains("| `\(name)` |"), "docs/LIMITS.md lacks \(name) of \(path)") }
    }

    /// Keys of the section `server` in the configuration that ships, and what the page says of them.
    @Test func everyKeyOfTheServerSectionIsNamed() throws {
        let page = try Repository.text("docs/LIMITS.md")
        let lines = try Repository.text("deploy/millgate.yaml").split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex(of: "server:"))
        let section = lines[(start + 1)...].prefix { $0.isEmpty || $0.hasPrefix(" ") }
        let keys = section.compactMap { $0.firstMatch(of: /^  (\w+):/).map { String($0.1) } }
        #expect(keys.count > 10)
        for key in keys { #expect(page.contains("`server.\(key)`"), "docs/LIMITS.md lacks server.\(key)") }
    }
}
