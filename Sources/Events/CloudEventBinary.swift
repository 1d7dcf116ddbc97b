import Bytes
import JSON

/// Binary mode: attributes as fields with the prefix `ce-`, data as the body. (CloudEvents HTTP binding 1.0.2 §3.1)
extension CloudEvent {
    package static let fieldPrefix = "ce-"

    /// Besides `Content-Type`.
    package var fields: [(name: String, value: String)] {
        attributes.map { (Self.fieldPrefix + $0.name, Self.encoded($0.value)) }
    }

    /// The body; empty without data.
    package var body: [UInt8] { data?.bytes ?? [] }

    /// What is not a printable character of ASCII, and space, quote and percent sign, as the percent-encoded bytes of its
    /// UTF-8. (§3.1.3.2)
    static func encoded(_ value: String) -> String {
        var out: [UInt8] = []
        for byte in value.utf8 {
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "%") {
                out.append(byte)
            } else {
                out.append(UInt8(ascii: "%"))
                for nibble in [byte >> 4, byte & 15] { out.append(nibble < 10 ? nibble + 48 : nibble + 55) }
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Undoes `encoded`; a percent sign that begins no byte stands for itself.
    static func decoded(_ value: String) -> String {
        let bytes = Array(value.utf8)
        var out: [UInt8] = []
        var i = 0
        while i < bytes.count {
            if bytes[i] == UInt8(ascii: "%"), i + 2 < bytes.count,
                let byte = Hex.decode(String(decoding: bytes[i + 1...i + 2], as: UTF8.self))?.first
            {
                out.append(byte)
                i += 3
            } else {
                out.append(bytes[i])
                i += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// An event in binary mode, from its fields and its body.
    package init(
        fields: [(name: String, value: String)], contentType: String?, body: [UInt8]
    ) throws(CloudEventError) {
        var object = JSONObject()
        for (name, value) in fields {
            let name = name.lowercased()
            guard name.hasPrefix(Self.fieldPrefix) else { continue }
            let attribute = String(name.dropFirst(Self.fieldPrefix.count))
            guard object[attribute] == nil else { throw CloudEventError("/" + attribute, "comes twice") }
            object[attribute] = .string(Self.decoded(value))
        }
        if !body.isEmpty {
            object["datacontenttype"] = .string(contentType ?? "")
            do throws(JSONError) {
                object["data"] = try JSONValue.parse(body)
            } catch {
                throw CloudEventError("/data", "\(error.message), at line \(error.line), column \(error.column)")
            }
        }
        try self.init(json: .object(object))
    }
}
