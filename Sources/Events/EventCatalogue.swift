import Contracts
import Documents
import JSON

/// Every event there is, as `policies/events/` describes them.
package struct EventCatalogue: Sendable {
    /// By name, in alphabetical order.
    package let events: [EventDefinition]
    private let places: [String: Int]

    package static let empty = EventCatalogue([])
    /// The schemas that several events share.
    package static let typesFile = "types.yaml"
    /// What was published; see `PublishedEvents`.
    package static let publishedFile = "published.json"

    init(_ events: [EventDefinition]) {
        self.events = events.sorted { $0.name < $1.name }
        places = Dictionary(
            self.events.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package subscript(name: String) -> EventDefinition? { places[name].map { events[$0] } }

    package var names: [String] { events.map(\.name) }

    /// What policies may speak of.
    package var operations: Set<String> { Set(events.map(\.operation)) }

    /// Reads the catalogue: one event in each file, shared schemas in `types.yaml`.
    /// - Throws: all errors of all files.
    package static func load(
        files: [(path: String, text: String)], with second: SecondThread = .none
    ) throws(DocumentErrors) -> EventCatalogue {
        let reader = DocumentReader()
        var definitions: [String: DocumentNode] = [:]
        for file in files where isTypes(file.path) {
            reader.read(file.text, file: file.path) { mapping in
                for (name, node) in SchemaCompiler.definitions(mapping, reader: reader) { definitions[name] = node }
            }
        }
        let compiler = SchemaCompiler(reader: reader, definitions: definitions)
        var events: [EventDefinition] = []
        let definitionsRead = compiler.finished
        let rest = files.filter { !isTypes($0.path) }
        let read = DocumentFiles.read(rest, reporting: reader, with: second) { file, mapping, reader in
            EventReader(schemas: SchemaCompiler(reader: reader, definitionsRead), file: file).event(mapping)
        }
        for one in read {
            if events.contains(where: { $0.name == one.value.name }) {
                reader.report("a second description of '\(one.value.name)'", at: one.mark)
            }
            events.append(one.value)
        }
        try reader.finish()
        return EventCatalogue(events)
    }

    private static func isTypes(_ path: String) -> Bool { path == typesFile || path.hasSuffix("/" + typesFile) }

    /// The definition of a CloudEvents type, with its version; nil for what is none of ours.
    package func definition(type: String) -> (EventDefinition, EventDefinition.Version)? {
        guard type.hasPrefix(CloudEvent.typePrefix), let dot = type.lastIndex(of: "."),
            let number = Int(type[dot...].dropFirst(2)), type[dot...].hasPrefix(".v"),
            let event = self[String(type[..<dot].dropFirst(CloudEvent.typePrefix.count))],
            let version = event[version: number]
        else { return nil }
        return (event, version)
    }
}

/// Reads the file of one event. Reports to the reader; what is returned counts only when nothing was reported.
struct EventReader {
    let schemas: SchemaCompiler
    let file: String

    func event(_ mapping: DocumentMapping) -> EventDefinition {
        let name = mapping.required("event").flatMap { value in
            value.string().flatMap { text -> String? in
                if EventPattern.isName(text) {
                    if !file.hasSuffix("/\(text).yaml") {
                        value.report("the event '\(text)' belongs into \(text).yaml")
                    }
                    return text
                }
                value.report("an event is named like 'production-order.released', not '\(text)'")
                return nil
            }
        }
        let aggregate = mapping.required("aggregate").flatMap { value in
            value.string().flatMap { text -> String? in
                if EventPattern.isWord(text) { return text }
                value.report("an aggregate is named like 'production-order', not '\(text)'")
                return nil
            }
        }
        let title = mapping.requiredString("title")
        let description = mapping.requiredString("description")
        let isOpen = mapping.bool("open", default: false)
        let versions = mapping.required("versions")?.list(minCount: 1) { version($0) } ?? []
        for (index, version) in versions.enumerated() where version.number != index + 1 {
            mapping.report("versions are counted from 1 without gaps; \(version.number) stands at place \(index + 1)")
        }
        return EventDefinition(
            name: name ?? "", title: title, description: description, aggregate: aggregate ?? "", isOpen: isOpen,
            versions: versions, file: file)
    }

    private func version(_ value: DocumentValue) -> EventDefinition.Version? {
        value.mapping { mapping -> EventDefinition.Version? in
            let number = mapping.requiredInt("version", in: 1...999)
            let isDeprecated = mapping.bool("deprecated", default: false)
            guard let value = mapping.required("schema") else { return nil }
            let schema = schemas.compile(value)
            if schema.types != [.object] { value.report("the schema of an event has 'type: object'") }
            guard let sample = mapping.required("example") else { return nil }
            schemas.expect(sample.node, to: schema, as: "the example")
            let version = EventDefinition.Version(
                number: number, schema: schema, document: inlined(schema.source), example: sample.node.json,
                isDeprecated: isDeprecated)
            // A closed object could never grow: a new member would break who validates.
            if Self.isClosedAnywhere(version.document) {
                value.report("an event has no 'additionalProperties': later versions may have more members")
            }
            for violation in version.violations(sample.node.json)
            where !schema.validate(sample.node.json).contains(violation) {
                sample.report("the example: \(violation)")
            }
            return version
        }
    }

    /// The schema with references resolved. Definitions have no cycles: the compiler has seen to it.
    private func inlined(_ source: JSONValue) -> JSONValue {
        switch source {
        case .array(let elements): return .array(elements.map(inlined))
        case .object(let members):
            var result = JSONObject()
            if let reference = members["$ref"]?.string, reference.hasPrefix(SchemaCompiler.referencePrefix),
                let schema = schemas.definition(String(reference.dropFirst(SchemaCompiler.referencePrefix.count))),
                let target = inlined(schema.source).object
            {
                result = target
            }
            // Notes beside the reference are nearer to the reader than those of the definition.
            for (key, value) in members.members where key != "$ref" { result[key] = inlined(value) }
            return .object(result)
        default: return source
        }
    }

    private static func isClosedAnywhere(_ schema: JSONValue) -> Bool {
        switch schema {
        case .array(let elements): elements.contains(where: isClosedAnywhere)
        case .object(let members):
            members.contains("additionalProperties") || members.members.contains { isClosedAnywhere($0.value) }
        default: false
        }
    }
}
