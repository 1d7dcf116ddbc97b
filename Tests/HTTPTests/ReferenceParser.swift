@testable import HTTP

/// A second parser of request heads, written for plainness and from the grammar, to hold the fast one against.
enum ReferenceParser {
    struct Head: Hashable {
        var method: String
        var target: String
        var fields: [String]
        var length: Int
    }

    private static let tchar = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    private static let pathChars = Set(
        "/[]|-._~%!$&'()*+,;=:@0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    private static let queryChars = pathChars.union("?{}^`".utf8)

    /// The head at the start of the bytes, when its lines are well-formed; says nothing of what the fields mean. Nil where it
    /// is malformed or incomplete.
    static func parse(_ bytes: [UInt8]) -> Head? {
        var rest = bytes[...]
        if rest.starts(with: [13, 10]) { rest = rest.dropFirst(2) }
        guard let requestLine = line(&rest) else { return nil }
        let words = requestLine.split(separator: 32, omittingEmptySubsequences: false)
        guard words.count == 3, isToken(words[0]), !words[1].isEmpty, isTarget(words[1]),
            words[2].elementsEqual("HTTP/1.1".utf8) || words[2].elementsEqual("HTTP/1.0".utf8)
        else { return nil }
        var fields: [String] = []
        while let next = line(&rest) {
            if next.isEmpty {
                return Head(
                    method: text(words[0]), target: text(words[1]), fields: fields, length: rest.startIndex)
            }
            guard let colon = next.firstIndex(of: 58), isToken(next[..<colon]) else { return nil }
            var value = next[(colon + 1)...]
            while let byte = value.first, byte == 32 || byte == 9 { value = value.dropFirst() }
            while let byte = value.last, byte == 32 || byte == 9 { value = value.dropLast() }
            guard value.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else { return nil }
            fields.append(text(next[..<colon]) + "=" + text(value))
        }
        return nil
    }

    private static func line(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var at = rest.startIndex
        while at + 1 < rest.endIndex {
            if rest[at] == 13 && rest[at + 1] == 10 {
                defer { rest = rest[(at + 2)...] }
                return rest[..<at]
            }
            if rest[at] == 13 || rest[at] == 10 { return nil }
            at += 1
        }
        return nil
    }

    private static func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { tchar.contains($0) }
    }

    private static func isTarget(_ bytes: ArraySlice<UInt8>) -> Bool {
        let path = bytes.prefix { $0 != 63 }
        return path.allSatisfy { pathChars.contains($0) } && bytes.dropFirst(path.count).allSatisfy(queryChars.contains)
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
