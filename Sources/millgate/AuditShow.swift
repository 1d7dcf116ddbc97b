import ArgumentParser
import Bytes
import Foundation
import Glibc
import JSON
import Reactor

struct AuditShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print entries of the audit log.",
        discussion: """
            Examples: millgate audit show --since 8h --outcome rejected
                      millgate audit show --operation 'production-order.*' --subject operator --follow
                      millgate audit show --json | jq .

            One line for each entry: time, number, kind, subject, operation, effect and rule, target, status, outcome.
            Showing is not verifying: see `millgate audit verify`.
            """)

    @Argument(help: "Directory of the log.")
    var directory = "var/audit"

    @Flag(name: .shortAndLong, help: "Go on with entries as they are written, until Ctrl-C.")
    var follow = false

    @Flag(help: "Print the lines as they are in the log.")
    var json = false

    @Option(help: "Only this subject.")
    var subject: String?

    @Option(help: "Only this operation, or with NOUN.* those that begin so.")
    var operation: String?

    @Option(
        help: "Only this outcome: applied, rejected, unknown, refused, proxied, replayed, accepted, answered, failed.")
    var outcome: String?

    @Option(help: "Only this request id.")
    var request: String?

    @Option(help: "Only entries since 2026-11-24T06:00:00Z, or of the last 8h.")
    var since: String?

    @Option(name: [.customShort("n"), .long], help: "Only the last COUNT of them.")
    var last: Int?

    func validate() throws {
        if let since { _ = try TimeText.past(since, now: Clock.wall()) }
        if let last, last < 1 { throw ValidationError("--last is at least 1.") }
    }

    func run() throws {
        let start = try since.map { try TimeText.past($0, now: Clock.wall()) }
        var tail = AuditTail(directory)
        do {
            var kept: [String] = []
            try tail.forEachNew { line in
                guard let text = shown(line, since: start) else { return }
                guard let last else { return print(text) }
                kept.append(text)
                if kept.count > 2 * last { kept.removeFirst(kept.count - last) }
            }
            for text in kept.suffix(last ?? 0) { print(text) }
            while follow {
                fflush(nil)
                usleep(200_000)
                try tail.forEachNew { line in
                    if let text = shown(line, since: start) { print(text) }
                }
            }
        } catch {
            throw failure("\(directory): cannot be read; is it the directory of an audit log?")
        }
    }

    /// The entry as a line; nil when it is filtered out.
    private func shown(_ line: [UInt8], since: WallInstant?) -> String? {
        guard let entry = try? JSONValue.parse(line) else {
            return "a line that is not an entry; run `millgate audit verify`"
        }
        let kind = entry["kind"]?.string ?? ""
        if kind == "segment" || kind == "seal" { return nil }
        for (name, wanted) in [("subject", subject), ("outcome", outcome), ("request", request)] {
            if let wanted, entry[name]?.string != wanted { return nil }
        }
        if let operation {
            let name = entry["operation"]?.string ?? ""
            let isMatch = operation.hasSuffix("*") ? name.hasPrefix(operation.dropLast()) : name == operation
            if !isMatch { return nil }
        }
        if let since {
            guard let time = entry["time"]?.string.flatMap({ WallInstant($0) }), time >= since else { return nil }
        }
        return json ? String(decoding: line, as: UTF8.self) : Self.readable(entry, kind: kind)
    }

    private static func readable(_ entry: JSONValue, kind: String) -> String {
        func text(_ name: String) -> String? { entry[name]?.string }
        var words: [String?] = [
            text("time"), entry["seq"].map { "#" + $0.text }, kind, text("subject") ?? "-", text("operation") ?? "-",
        ]
        words.append(text("effect").map { "\($0) (\(text("rule") ?? "no rule"))" })
        words.append(text("method").map { "\($0) \(text("target") ?? "")" })
        words.append(entry["status"]?.int.map { String($0) })
        words.append(text("outcome"))
        words.append(entry["records"]?.array.map { $0.compactMap(\.string).joined(separator: " ") })
        words.append(text("detail"))
        return words.compactMap(\.self).map(plain).joined(separator: "  ")
    }

    /// Without control characters: what a caller sent must not steer the terminal.
    private static func plain(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            out.append(isControl ? "\u{FFFD}" : scalar)
        }
        return String(out)
    }
}
