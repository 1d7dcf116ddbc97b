import Foundation

/// A Swift file of the repository, as written and with comments and the insides of strings blanked out.
struct SourceFile {
    /// Relative to the repository, `Sources/JSON/JSONText.swift`.
    let path: String
    let room: String
    let lines: [String]
    let code: [String]
    /// All of `code`, to look once before looking line by line.
    private let joined: String

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    var isUnsafe: Bool { name.hasPrefix("Unsafe") }

    init(path: String, room: String, text: String) {
        self.path = path
        self.room = room
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        code = CodeOnly.lines(of: lines)
        joined = code.joined(separator: "\n")
    }

    /// The numbers, from 1, of the lines whose code contains the word, where it is not part of a longer one.
    func linesOfCode(with word: String) -> [Int] {
        guard joined.contains(word) else { return [] }
        let isWord: (Character) -> Bool = { $0.isLetter || $0.isNumber || $0 == "_" }
        return code.indices.filter { index in
            code[index].ranges(of: word).contains { range in
                guard word.first.map(isWord) == true, range.lowerBound > code[index].startIndex else { return true }
                return !isWord(code[index][code[index].index(before: range.lowerBound)])
            }
        }.map { $0 + 1 }
    }

    /// The modules the file imports.
    var imports: [(module: String, line: Int)] {
        code.indices.compactMap { index in
            let words = code[index].split(separator: " ")
            guard let place = words.firstIndex(of: "import"), words[..<place].allSatisfy(Self.mayPrecedeImport),
                place + 1 < words.count
            else { return nil }
            // `import struct Foundation.Date` and `import Foundation.NSData`.
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
            let last = kinds.contains(words[place + 1]) ? words.last : words[place + 1]
            return last.map { ($0.split(separator: ".").first.map(String.init) ?? "", index + 1) }
        }
    }

    private static func mayPrecedeImport(_ word: Substring) -> Bool {
        word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }
}

/// Blanks comments and the insides of string literals. It knows line comments, nested block comments, strings of one
/// and of many lines and raw strings with one `#`; interpolations count as part of the string.
enum CodeOnly {
    private enum State { case code, block(depth: Int), many(raw: Bool) }

    static func lines(of lines: [String]) -> [String] {
        var state = State.code
        return lines.map { strip(Array($0.utf8), &state) }
    }

    private static func strip(_ bytes: [UInt8], _ state: inout State) -> String {
        var out: [UInt8] = []
        var i = 0
        func at(_ literal: StaticString) -> Bool {
            literal.withUTF8Buffer { bytes[i...].starts(with: $0) }
        }
        while i < bytes.count {
            switch state {
            case .block(let depth):
                if at("*/") {
                    state = depth == 1 ? .code : .block(depth: depth - 1)
                    i += 2
                } else if at("/*") {
                    state = .block(depth: depth + 1)
                    i += 2
                } else {
                    i += 1
                }
            case .many(let raw):
                if raw ? at("\"\"\"#") : at("\"\"\"") {
                    state = .code
                    i += raw ? 4 : 3
                } else {
                    i += !raw && bytes[i] == UInt8(ascii: "\\") ? 2 : 1
                }
            case .code:
                if at("//") { return String(decoding: out, as: UTF8.self) }
                if at("/*") {
                    state = .block(depth: 1)
                    i += 2
                } else if at("#\"\"\"") || at("\"\"\"") {
                    state = .many(raw: bytes[i] == UInt8(ascii: "#"))
                    i += bytes[i] == UInt8(ascii: "#") ? 4 : 3
                } else if at("#\"") || at("\"") {
                    i = endOfString(bytes, i)
                    out += Array("\"\"".utf8)
                } else {
                    out.append(bytes[i])
                    i += 1
                }
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The offset behind the one-line string that begins at `start`. Strings inside its interpolations are skipped.
    private static func endOfString(_ bytes: [UInt8], _ start: Int) -> Int {
        let raw = bytes[start] == UInt8(ascii: "#")
        var i = start + (raw ? 2 : 1)
        var depth = 0
        while i < bytes.count {
            let next = i + 1 < bytes.count ? bytes[i + 1] : 0
            switch bytes[i] {
            case UInt8(ascii: "\\") where !raw && next == UInt8(ascii: "("):
                depth += 1
                i += 1
            case UInt8(ascii: "\\") where !raw: i += 1
            case UInt8(ascii: "(") where depth > 0: depth += 1
            case UInt8(ascii: ")") where depth > 0: depth -= 1
            case UInt8(ascii: "\"") where depth > 0: i = endOfString(bytes, i) - 1
            case UInt8(ascii: "\"") where !raw: return i + 1
            case UInt8(ascii: "\"") where next == UInt8(ascii: "#"): return i + 2
            default: break
            }
            i += 1
        }
        return i
    }
}

/// The repository this test was compiled from.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// All Swift files below `Sources`, by path.
    static let sources: [SourceFile] = {
        let base = root.appending(path: "Sources")
        let walk = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)
        var files: [SourceFile] = []
        while let url = walk?.nextObject() as? URL {
            guard url.pathExtension == "swift", let text = try? String(contentsOf: url, encoding: .utf8) else {
                continue
            }
            let parts = url.pathComponents.suffix(from: base.pathComponents.count)
            guard let room = parts.first else { continue }
            files.append(SourceFile(path: "Sources/" + parts.joined(separator: "/"), room: room, text: text))
        }
        return files.sorted { $0.path < $1.path }
    }()
}
