import Bytes
import JSON

/// Why something is no CloudEvent.
package struct CloudEventError: Error, Sendable, Hashable, CustomStringConvertible {
    /// JSON Pointer, `/source`.
    package let pointer: String
    package let description: String

    package init(_ pointer: String, _ description: String) {
        self.pointer = pointer
        self.description = description
    }
}

extension CloudEvent {
    /// Longest attribute, in bytes. What is longer is no identifier. Default 1,024.
    package static let attributeBytesMax = 1_024
    /// Most extension attributes of an event. Default 32.
    package static let extensionsMax = 32

    /// An event in structured mode. (CloudEvents 1.0.2 §3, JSON format §3)
    package init(json: JSONValue) throws(CloudEventError) {
        guard let object = json.object else { throw CloudEventError("", "an event is a JSON object") }
        func text(_ name: String) throws(CloudEventError) -> String? {
            guard let value = object[name], !value.isNull else { return nil }
            guard let text = value.string, !text.isEmpty else {
                throw CloudEventError("/" + name, "must be a string that is not empty")
            }
            guard text.utf8.count <= Self.attributeBytesMax else {
                throw CloudEventError("/" + name, "is longer than \(Self.attributeBytesMax) bytes")
            }
            // Control characters must not occur. (§3.1.1)
            guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }) else {
                throw CloudEventError("/" + name, "has control characters")
            }
            return text
        }
        func required(_ name: String) throws(CloudEventError) -> String {
            guard let text = try text(name) else { throw CloudEventError("/" + name, "is required") }
            return text
        }
        let version = try required("specversion")
        guard version == Self.specVersion else {
            throw CloudEventError("/specversion", "must be '\(Self.specVersion)', not '\(version)'")
        }
        self.init(id: try required("id"), source: try required("source"), type: try required("type"))
        subject = try text("subject")
        dataSchema = try text("dataschema")
        if let text = try text("time") {
            guard let instant = WallInstant(text) else {
                throw CloudEventError("/time", "must be a date and time with offset (RFC 3339)")
            }
            time = instant
        }
        if let type = try text("datacontenttype"), !Self.isJSON(type) {
            throw CloudEventError("/datacontenttype", "must be application/json")
        }
        data = object["data"]
        if object.contains("data_base64") { throw CloudEventError("/data_base64", "data must be JSON") }
        let known: Set<String> = [
            "specversion", "id", "source", "type", "subject", "time", "dataschema", "datacontenttype", "data",
        ]
        for (name, value) in object.members where !known.contains(name) {
            guard Self.isAttributeName(name) else {
                throw CloudEventError("/" + name, "an attribute is named in lower-case letters and digits, at most 20")
            }
            guard extensions.count < Self.extensionsMax else {
                throw CloudEventError("/" + name, "more than \(Self.extensionsMax) extension attributes")
            }
            switch value {
            case .null: continue
            case .bool(let flag): extensions.append((name, String(flag)))
            case .number(let number) where number.int != nil: extensions.append((name, number.text))
            case .string:
                if let text = try text(name) { extensions.append((name, text)) }
            default: throw CloudEventError("/" + name, "must be a string, a boolean or an integer")
            }
        }
    }

    /// Lower-case letters and digits; longer than 20 is advised against, and refused here. (§3.1)
    static func isAttributeName(_ name: String) -> Bool {
        (1...20).contains(name.utf8.count) && name.utf8.allSatisfy { $0 &- 97 < 26 || $0 &- 48 < 10 }
    }

    static func isJSON(_ type: String) -> Bool {
        let essence = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return essence == "application/json" || essence.hasSuffix("+json")
    }
}
