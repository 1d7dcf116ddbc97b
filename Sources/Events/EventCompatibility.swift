import Bytes
import JSON

/// Whether who reads an event by the schema that was published can go on reading it by another.
///
/// A reader relies on every promise: so the new schema may promise more and never less. Members may be added; none may
/// go, turn optional, or hold what was excluded before. Where it cannot be told (`oneOf`, a changed pattern), it is
/// refused: a new version of the event is always possible.
package struct EventCompatibility {
    /// What breaks, each with a JSON Pointer into the data. Empty: it may be published.
    package static func breaks(published old: JSONValue, now new: JSONValue) -> [String] {
        var check = EventCompatibility()
        check.compare(old, new, at: "")
        return check.found
    }

    private var found: [String] = []

    private mutating func report(_ pointer: String, _ what: String) {
        found.append("\(pointer.isEmpty ? "/" : pointer): \(what)")
    }

    private mutating func compare(_ old: JSONValue, _ new: JSONValue, at pointer: String) {
        compareTypes(old, new, at: pointer)
        compareChoices(old, new, at: pointer)
        compareBounds(old, new, at: pointer)
        for keyword in ["const", "format", "pattern", "multipleOf", "uniqueItems", "oneOf", "anyOf", "allOf"] {
            guard let before = old[keyword], new[keyword] != before else { continue }
            report(pointer, new[keyword] == nil ? "'\(keyword)' is gone" : "'\(keyword)' has changed")
        }
        let names = Self.texts(new["required"])
        for name in Self.texts(old["required"]) where !names.contains(name) {
            report(JSONPointer.appending(name, to: pointer), "was always there and is not required any more")
        }
        for (name, before) in old["properties"]?.object?.members ?? [] {
            let place = JSONPointer.appending(name, to: pointer)
            if let after = new["properties"]?[name] {
                compare(before, after, at: place)
            } else {
                report(place, "is gone")
            }
        }
        if let before = old["items"] {
            if let after = new["items"] {
                compare(before, after, at: pointer + "/0")
            } else {
                report(pointer, "'items' is gone")
            }
        }
    }

    private mutating func compareTypes(_ old: JSONValue, _ new: JSONValue, at pointer: String) {
        let before = Self.types(old)
        guard !before.isEmpty else { return }
        let after = Self.types(new)
        let wider = after.filter { !before.contains($0) && !($0 == "integer" && before.contains("number")) }
        if after.isEmpty || !wider.isEmpty {
            report(
                pointer,
                "was \(before.sorted().joined(separator: " or ")) and may now be "
                    + (after.isEmpty ? "anything" : wider.sorted().joined(separator: " or ")))
        }
    }

    private mutating func compareChoices(_ old: JSONValue, _ new: JSONValue, at pointer: String) {
        guard let before = old["enum"]?.array else { return }
        guard let after = new["enum"]?.array ?? new["const"].map({ [$0] }) else {
            report(pointer, "'enum' is gone")
            return
        }
        for value in after where !before.contains(value) { report(pointer, "may now be \(value.text)") }
    }

    private mutating func compareBounds(_ old: JSONValue, _ new: JSONValue, at pointer: String) {
        let lower = ["minimum", "exclusiveMinimum", "minLength", "minItems"]
        for keyword in lower + ["maximum", "exclusiveMaximum", "maxLength", "maxItems"] {
            guard let before = old[keyword]?.decimal else { continue }
            guard let after = new[keyword]?.decimal else {
                report(pointer, "'\(keyword)' is gone")
                continue
            }
            if lower.contains(keyword) ? after < before : after > before {
                report(pointer, "'\(keyword)' was \(before) and is \(after)")
            }
        }
    }

    private static func types(_ schema: JSONValue) -> Set<String> {
        if let one = schema["type"]?.string { return [one] }
        return texts(schema["type"])
    }

    private static func texts(_ value: JSONValue?) -> Set<String> { Set((value?.array ?? []).compactMap(\.string)) }
}
