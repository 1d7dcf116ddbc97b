import Audit
import Bytes
import Foundation
import Store
import Testing

/// `audit verify` and `audit show` on logs that the store has written.
@Suite struct AuditCommandTests {
    /// Writes a log of `count` entries into `log`, and the file with its key.
    static func writeLog(_ millgate: Millgate, count: Int = 12) async throws {
        let secret = String(repeating: "k", count: 43)
        try millgate.write(secret + "\n", to: "audit.key")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: millgate.path("audit.key"))
        let key = try #require(AuditKey(secret: Array(secret.utf8)))
        let log = try AppendLog(AppendLog.Configuration(directory: millgate.path("log"), key: key))
        for number in 0..<count {
            var entry = AuditEntry(
                time: WallInstant(seconds: 1_795_000_000 + Int64(number) * 3_600), kind: .outcome,
                requestID: "r\(number)")
            entry.caller = AuditCaller(subject: number % 2 == 0 ? "anna" : "ben", issuer: "https://i")
            entry.decision = AuditDecision(
                operation: number % 3 == 0 ? "production-order.confirm" : "product.read", effect: .allow, rule: "r")
            entry.outcome = number % 3 == 0 ? .applied : .answered
            entry.method = "GET"
            entry.target = "/v1/things/\(number)\u{1B}[2J"
            entry.status = 200
            try await log.appendDurably(entry)
        }
        await log.close()
    }

    static let file = "log/audit-00000001.jsonl"
    static let verify = ["audit", "verify", "log", "--key", "audit.key"]

    @Test func anUntouchedLogIsIntact() async throws {
        try await Millgate.withDirectory { millgate in
            try await Self.writeLog(millgate)
            let result = try millgate.run(Self.verify)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            #expect(result.output.hasPrefix("intact: ") && result.output.hasSuffix(", authenticated\n"))
            let unauthenticated = try millgate.run(["audit", "verify", "log"])
            #expect(unauthenticated.status == 0 && unauthenticated.output.contains("give --key"))
        }
    }

    static let edits: [(name: String, edit: @Sendable ([String]) -> [String], found: String)] = [
        (
            "a changed entry",
            { lines in
                lines.enumerated().map { $0 == 4 ? $1.replacingOccurrences(of: "things/2", with: "things/4") : $1 }
            }, "log/audit-00000001.jsonl:5: seq 5: changed:"
        ),
        (
            "a removed entry",
            { lines in Array(lines[..<6] + lines[7...]) }, "log/audit-00000001.jsonl:7: seq 7: missing:"
        ),
        (
            "exchanged entries",
            { lines in Array(lines[..<5] + [lines[6], lines[5]] + lines[7...]) },
            "log/audit-00000001.jsonl:7: seq 6: reordered:"
        ),
        (
            "a doubled entry",
            { lines in Array(lines[...5] + lines[5...]) }, "log/audit-00000001.jsonl:7: seq 6: duplicated:"
        ),
        ("a cut end", { lines in Array(lines[..<9]) }, "log/audit-00000001.jsonl: seq 1"),
        ("a line of somebody else", { lines in lines + ["{\"kind\":\"outcome\"}"] }, "log/audit-00000001.jsonl:1"),
    ]

    @Test(arguments: edits.indices)
    func everyEditIsFoundWithItsPlace(index: Int) async throws {
        let (name, edit, found) = Self.edits[index]
        try await Millgate.withDirectory { millgate in
            try await Self.writeLog(millgate)
            let lines = try millgate.text(Self.file).split(separator: "\n").map(String.init)
            try millgate.write(edit(lines).joined(separator: "\n") + "\n", to: Self.file)
            let result = try millgate.run(Self.verify)
            #expect(result.status == 1, "\(name)")
            #expect(result.lines.first?.hasPrefix(found) == true, "\(name): \(result.output)")
            #expect(result.lines.last?.hasPrefix("NOT intact: ") == true)
        }
    }

    @Test func aLogThatIsNotThereIsNotIntact() async throws {
        try await Millgate.withDirectory { millgate in
            try await Self.writeLog(millgate)
            #expect(try millgate.run(["audit", "verify", "nowhere"]).status == 1)
            #expect(try millgate.run(["audit", "show", "nowhere"]).status == 1)
            try FileManager.default.removeItem(atPath: millgate.path("log/audit.head"))
            let result = try millgate.run(Self.verify)
            #expect(result.status == 1 && result.output.contains("nothing says where the log ends"))
        }
    }

    @Test func anotherKeyDoesNotAuthenticate() async throws {
        try await Millgate.withDirectory { millgate in
            try await Self.writeLog(millgate)
            try millgate.write(String(repeating: "x", count: 40), to: "other.key")
            let other = try millgate.run(["audit", "verify", "log", "--key", "other.key"])
            #expect(other.status == 1 && other.errors.contains("chmod 600"))
            #expect(try millgate.run(Self.verify + ["--key", "other.key"]).status == 0)
            try millgate.write("short", to: "short.key")
            let short = try millgate.run(["audit", "verify", "log", "--key", "short.key"])
            #expect(short.status == 78 && short.errors.contains("at least 32 bytes"))
            #expect(try millgate.run(["audit", "verify", "log", "--key", "nowhere.key"]).status == 78)
        }
    }

    @Test(
        arguments: [
            (["--subject", "anna"], [0, 2, 4, 6, 8, 10]), (["--outcome", "applied"], [0, 3, 6, 9]),
            (["--operation", "production-order.*", "--subject", "ben"], [3, 9]),
            (["--operation", "product.read", "--last", "2"], [10, 11]), (["--request", "r7"], [7]),
            (["--since", "2026-11-18T20:06:40Z", "--operation", "p*"], [9, 10, 11]),
            (["-n", "1", "--outcome", "answered"], [11]), (["--subject", "nobody"], []),
        ] as [([String], [Int])])
    func entriesAreFiltered(filters: [String], numbers: [Int]) async throws {
        try await Millgate.withDirectory { millgate in
            try await Self.writeLog(millgate)
            let result = try millgate.run(["audit", "show", "log"] + filters)
            #expect(result.status == 0, "\(result.errors)")
            let shown = result.lines.compactMap { line in
                line.firstMatch(of: /\/v1\/things\/(\d+)/).flatMap { Int($0.1) }
            }
            #expect(shown == numbers, "\(result.output)")
            #expect(!result.output.unicodeScalars.contains("\u{1B}"), "a caller's escape reaches the terminal")
            let raw = try millgate.run(["audit", "show", "log", "--json"] + filters)
            #expect(raw.lines.count == numbers.count)
            let written = try millgate.text(Self.file)
            #expect(raw.lines.allSatisfy { written.contains($0) })
        }
    }
}
