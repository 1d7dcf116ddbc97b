import Bytes
import JSON

/// An event as it leaves the gateway. (CloudEvents 1.0.2)
///
/// Attributes are kept as text, in the order in which they are written: context attributes first, extensions after.
package struct CloudEvent: Sendable, Hashable {
    package var id: String
    /// A URI-reference; together with `id` unique.
    package var source: String
    /// `dev.millgate.production-order.released.v1`.
    package var type: String
    package var subject: String?
    package var time: WallInstant?
    /// Where the schema of `data` is named.
    package var dataSchema: String?
    /// Extension attributes by name: lower-case letters and digits. (§3.1)
    package var extensions: [(name: String, value: String)]
    /// Nil for an event without data.
    package var data: JSONValue?

    package static let specVersion = "1.0"
    /// Structured mode. (CloudEvents JSON format 1.0.2 §3)
    package static let mediaType = "application/cloudevents+json"
    package static let typePrefix = "dev.millgate."
    package static let schemaBase = "https://millgate.dev/schemas/events/"

    package init(
        id: String, source: String, type: String, subject: String? = nil, time: WallInstant? = nil,
        dataSchema: String? = nil, extensions: [(name: String, value: String)] = [], data: JSONValue? = nil
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.dataSchema = dataSchema
        self.extensions = extensions
        self.data = data
    }

    /// An event of the log.
    package init(_ recorded: RecordedEvent) {
        let event = recorded.event
        self.init(
            id: event.id, source: Self.source(site: event.site),
            type: Self.type(name: event.name, version: event.version), subject: event.subject, time: event.time,
            dataSchema: Self.schema(name: event.name, version: event.version), data: event.data)
        // Lexicographically orderable, as the sequence extension wants it.
        extensions.append(("sequence", Self.padded(recorded.sequence)))
        if let site = event.site { extensions.append(("site", site)) }
        if let id = event.correlationID { extensions.append(("correlationid", id)) }
        if let id = event.causationID { extensions.append(("causationid", id)) }
        if let parent = event.traceparent { extensions.append(("traceparent", parent)) }
    }

    package static func type(name: String, version: Int) -> String { "\(typePrefix)\(name).v\(version)" }
    package static func schema(name: String, version: Int) -> String { "\(schemaBase)\(name)/v\(version)" }
    package static func source(site: String?) -> String { site.map { "urn:millgate:site:\($0)" } ?? "urn:millgate" }

    /// 12 digits: more events than one aggregate will ever have.
    static func padded(_ sequence: Int64) -> String {
        let digits = String(sequence)
        return String(repeating: "0", count: max(0, 12 - digits.utf8.count)) + digits
    }

    package static func == (a: Self, b: Self) -> Bool { a.json == b.json }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }

    /// The value of an extension attribute.
    package subscript(name: String) -> String? { extensions.first { $0.name == name }?.value }

    // MARK: - Structured mode

    /// Attribute names in the order in which they are written.
    var attributes: [(name: String, value: String)] {
        var all = [("specversion", Self.specVersion), ("id", id), ("source", source), ("type", type)]
        if let subject { all.append(("subject", subject)) }
        if let time { all.append(("time", time.rfc3339)) }
        if let dataSchema { all.append(("dataschema", dataSchema)) }
        return all + extensions.map { ($0.name, $0.value) }
    }

    /// The event as one JSON object. (CloudEvents JSON format 1.0.2 §3)
    package var json: JSONValue {
        var object = JSONObject()
        for (name, value) in attributes { object[name] = .string(value) }
        if let data {
            object["datacontenttype"] = "application/json"
            object["data"] = data
        }
        return .object(object)
    }
}
