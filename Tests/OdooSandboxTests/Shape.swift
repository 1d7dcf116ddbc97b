import JSON

/// Compares two answers by shape: the names of members and the kinds of values, all the way down. Ids, names, times
/// and figures may differ, since the recorded database was another one.
enum Shape {
    /// What differs; empty when nothing does.
    static func differences(_ ours: JSONValue, _ theirs: JSONValue) -> [String] {
        var found: [String] = []
        compare(ours, theirs, at: "", inRecord: false, &found)
        return found
    }

    private static func compare(
        _ ours: JSONValue, _ theirs: JSONValue, at path: String, inRecord: Bool, _ found: inout [String]
    ) {
        switch (ours, theirs) {
        case (.object(let a), .object(let b)):
            let missing = Set(b.keys).subtracting(a.keys).sorted()
            let extra = Set(a.keys).subtracting(b.keys).sorted()
            if !missing.isEmpty { found.append("\(path): lacks \(missing)") }
            if !extra.isEmpty { found.append("\(path): has besides \(extra)") }
            for (key, value) in a.members {
                guard let other = b[key] else { continue }
                // The envelope is no record: there `false` and `[]` mean what they say.
                let isEnvelope = path.isEmpty && ["result", "error"].contains(key)
                compare(value, other, at: path + "/" + key, inRecord: !isEnvelope, &found)
            }
        case (.array(let a), .array(let b)):
            compareLists(a, b, at: path, inRecord: inRecord, &found)
        default:
            if inRecord, ours == false || theirs == false { return }
            if kind(ours) != kind(theirs) { found.append("\(path): \(kind(ours)) for \(kind(theirs))") }
        }
    }

    /// Records are compared with records, whatever their number; `[id, name]` place by place.
    private static func compareLists(
        _ a: [JSONValue], _ b: [JSONValue], at path: String, inRecord: Bool, _ found: inout [String]
    ) {
        if a.isEmpty || b.isEmpty {
            if a.isEmpty != b.isEmpty, !inRecord { found.append("\(path): \(a.count) elements for \(b.count)") }
            return
        }
        if a.count == b.count {
            for i in a.indices { compare(a[i], b[i], at: "\(path)/\(i)", inRecord: inRecord, &found) }
            return
        }
        for (i, element) in a.enumerated() {
            compare(element, b[min(i, b.count - 1)], at: "\(path)/\(i)", inRecord: inRecord, &found)
        }
    }

    private static func kind(_ value: JSONValue) -> String {
        guard case .number(let number) = value else { return value.typeName }
        return number.text.contains(".") ? "float" : "integer"
    }
}
