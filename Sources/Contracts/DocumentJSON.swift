import Documents
import JSON

extension DocumentNode {
    /// The node as JSON: plain scalars become null, booleans and numbers where they are written so; anything quoted
    /// stays text. A plain number that JSON would not write (`007`, `.5`, `0x10`) is text.
    package var json: JSONValue {
        switch content {
        case .scalar(let text, let isPlain):
            guard isPlain else { return .string(text) }
            if isNull { return .null }
            if text == "true" { return true }
            if text == "false" { return false }
            if let number = JSONNumber(text) { return .number(number) }
            return .string(text)
        case .sequence(let elements): return .array(elements.map(\.json))
        case .mapping(let members):
            return .object(JSONObject(members.map { ($0.key.scalar ?? "", $0.value.json) }))
        }
    }
}
