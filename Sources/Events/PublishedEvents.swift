import Documents
import JSON

/// The schemas that somebody may rely on: what `published.json` keeps beside the catalogue.
package struct PublishedEvents: Sendable {
    /// Schemas by event and version.
    package private(set) var schemas: [String: [Int: JSONValue]] = [:]

    package init() {}

    /// - Throws: what is wrong in the file.
    package init(_ text: String, file: String) throws(DocumentErrors) {
        func fail(_ message: String, line: Int = 1, column: Int = 1) -> DocumentErrors {
            DocumentErrors([DocumentError(file: file, line: line, column: column, message: message)])
        }
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue.parse(text)
        } catch {
            throw fail(error.message, line: error.line, column: error.column)
        }
        guard let events = json["events"]?.object else { throw fail("expected {\"events\": …}") }
        for (name, versions) in events.members {
            for (version, schema) in versions.object?.members ?? [] {
                guard let number = Int(version), schema.object != nil else {
                    throw fail("'\(name)': expected schemas by version")
                }
                schemas[name, default: [:]][number] = schema
            }
        }
    }

    /// What the gate says of a catalogue.
    package struct Report: Sendable {
        /// Each breaks readers: `policies/events/….yaml: version 1: /quantity: is gone`.
        package var broken: [(file: String, message: String)] = []
        /// Versions that were not published yet, or grew since: `production-order.released v1`.
        package var unpublished: [String] = []
        /// Versions that were compared.
        package var compared = 0
    }

    package func check(_ catalogue: EventCatalogue, file: String) -> Report {
        var report = Report()
        for (name, versions) in schemas.sorted(by: { $0.key < $1.key }) {
            for (number, old) in versions.sorted(by: { $0.key < $1.key }) {
                guard let event = catalogue[name], let now = event[version: number] else {
                    report.broken.append(
                        (catalogue[name]?.file ?? file, "'\(name)' v\(number) was published and is gone"))
                    continue
                }
                report.compared += 1
                for what in EventCompatibility.breaks(published: old, now: now.document) {
                    report.broken.append(
                        (event.file, "'\(name)' v\(number) was published: \(what); make it version \(number + 1)"))
                }
                if now.document != old { report.unpublished.append("\(name) v\(number) (changed)") }
            }
        }
        for event in catalogue.events {
            for version in event.versions where schemas[event.name]?[version.number] == nil {
                report.unpublished.append("\(event.name) v\(version.number)")
            }
        }
        return report
    }

    /// The file after everything in the catalogue was published.
    package static func text(_ catalogue: EventCatalogue) -> String {
        var text = "{\n\"events\": {"
        for (index, event) in catalogue.events.enumerated() {
            text += "\(index == 0 ? "" : ",")\n\(JSONValue.string(event.name).text): {"
            for (place, version) in event.versions.enumerated() {
                text += "\(place == 0 ? "" : ",")\n  \"\(version.number)\": \(version.document.text)"
            }
            text += "\n}"
        }
        return text + "\n}\n}\n"
    }
}
