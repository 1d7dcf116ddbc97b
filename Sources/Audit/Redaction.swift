import JSON

/// Which members of a body must not reach the log. What is listed becomes `"[redacted]"`, whatever its type.
///
/// A rule that begins with `/` is a JSON Pointer (RFC 6901), in which the token `*` stands for every member or element;
/// any other rule is a member's name at any depth, compared without regard to case, `-` and `_`.
package struct Redaction: Sendable, Equatable {
    /// What stands in place of a value.
    package static let replacement: JSONValue = "[redacted]"

    /// Names that are always secret, also when the policy forgets them.
    package static let namesAlways = [
        "authorization", "password", "passwd", "secret", "client_secret", "token", "access_token", "refresh_token",
        "id_token", "api_key", "cookie", "set-cookie",
    ]

    private var names: Set<String>
    private var pointers: [[String]]

    package init(_ rules: [String] = []) {
        names = Set(Self.namesAlways.map(Self.folded))
        pointers = []
        for rule in rules {
            if rule.hasPrefix("/") {
                pointers.append(
                    rule.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(Self.unescaped))
            } else {
                names.insert(Self.folded(rule))
            }
        }
    }

    package func applied(to value: JSONValue) -> JSONValue {
        redacted(value, pointers.map { $0[...] })
    }

    /// - Parameter open: the pointers that lead to or below `value`, without the tokens already walked.
    private func redacted(_ value: JSONValue, _ open: [ArraySlice<String>]) -> JSONValue {
        if open.contains(where: \.isEmpty) { return Self.replacement }
        switch value {
        case .null, .bool, .number, .string:
            return value
        case .array(let elements):
            return .array(elements.enumerated().map { i, element in redacted(element, Self.below(String(i), open)) })
        case .object(let object):
            return .object(
                JSONObject(
                    object.members.map { key, member in
                        names.contains(Self.folded(key))
                            ? (key, Self.replacement) : (key, redacted(member, Self.below(key, open)))
                    }))
        }
    }

    private static func below(_ token: String, _ open: [ArraySlice<String>]) -> [ArraySlice<String>] {
        open.compactMap { $0.first == token || $0.first == "*" ? $0.dropFirst() : nil }
    }

    private static func folded(_ name: String) -> String {
        name.lowercased().filter { $0 != "-" && $0 != "_" }
    }

    private static func unescaped(_ token: Substring) -> String {
        var result = ""
        var escaped = false
        for character in token {
            if escaped {
                result.append(character == "1" ? "/" : character == "0" ? "~" : character)
                escaped = false
            } else if character == "~" {
                escaped = true
            } else {
                result.append(character)
            }
        }
        return result
    }
}
