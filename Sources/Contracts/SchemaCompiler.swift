import Bytes
import Documents
import JSON

/// Turns nodes of a document into schemas, reporting everything that is wrong with its place.
///
/// Definitions are compiled when they are first referred to. A definition that leads back to itself is refused: the
/// records of our contracts are finite, and so is every check.
package final class SchemaCompiler {
    /// `$ref` to a definition begins so.
    package static let referencePrefix = "#/$defs/"

    private let reader: DocumentReader
    private let definitions: [String: DocumentNode]
    private var compiled: [String: Schema] = [:]
    private var underway: [String] = []

    package init(reader: DocumentReader, definitions: [String: DocumentNode] = [:]) {
        self.reader = reader
        self.definitions = definitions
    }

    /// Definitions with their schemas, for other compilers that refer to them.
    package struct Finished: Sendable {
        fileprivate let definitions: [String: DocumentNode]
        fileprivate let compiled: [String: Schema]
    }

    /// All definitions, compiled: what is wrong with them is reported here and nowhere else.
    package var finished: Finished {
        for name in definitions.keys.sorted() { _ = definition(name) }
        return Finished(definitions: definitions, compiled: compiled)
    }

    package convenience init(reader: DocumentReader, _ finished: Finished) {
        self.init(reader: reader, definitions: finished.definitions)
        compiled = finished.compiled
    }

    /// Nil when there is no such definition.
    package func definition(_ name: String) -> Schema? {
        if let schema = compiled[name] { return schema }
        guard let node = definitions[name] else { return nil }
        underway.append(name)
        let schema = compile(reader.value(node))
        underway.removeLast()
        compiled[name] = schema
        return schema
    }

    /// A schema; one that accepts everything when the node was wrong, which was then reported.
    package func compile(_ value: DocumentValue) -> Schema {
        var rules = Schema.Rules()
        var defaultValue: JSONValue?
        var summary: String?
        var examples: [DocumentNode] = []
        value.mapping { mapping in
            readTypes(mapping, &rules)
            readNumbers(mapping, &rules)
            readStrings(mapping, &rules)
            readArrays(mapping, &rules)
            readObjects(mapping, &rules)
            rules.oneOf = schemas(mapping, "oneOf")
            rules.anyOf = schemas(mapping, "anyOf")
            rules.allOf = schemas(mapping, "allOf")
            rules.reference = reference(mapping)
            _ = mapping.string("title")
            summary = mapping.string("description")
            _ = mapping.bool("deprecated", default: false)
            // `default: null` is a value, so the node is asked and not the reader.
            _ = mapping.optional("default")
            defaultValue = mapping.node["default"]?.json
            examples = mapping.list("examples") { $0.node }
        }
        let schema = Schema(rules: rules, defaultValue: defaultValue, summary: summary, source: value.node.json)
        if let node = value.node["default"] { expect(node, to: schema, as: "the default") }
        for example in examples { expect(example, to: schema, as: "the example") }
        checkApplicability(value, rules)
        return schema
    }

    /// Reports how a literal in the file violates the schema it stands in.
    package func expect(_ node: DocumentNode, to schema: Schema, as what: String) {
        for violation in schema.validate(node.json) { reader.report("\(what): \(violation)", at: node) }
    }

    // MARK: Keywords

    private func readTypes(_ mapping: DocumentMapping, _ rules: inout Schema.Rules) {
        if let value = mapping.optional("type") {
            if case .sequence = value.node.content {
                rules.types = value.list(minCount: 1) { $0.choice(Schema.Kind.self, what: "type") }
            } else if let kind = value.choice(Schema.Kind.self, what: "type") {
                rules.types = [kind]
            }
        }
        rules.choices = mapping.optional("enum")?.list(minCount: 1) { $0.node.json }
        _ = mapping.optional("const")
        rules.constant = mapping.node["const"]?.json
        guard !rules.types.isEmpty else { return }
        for (key, values) in [("enum", rules.choices ?? []), ("const", rules.constant.map { [$0] } ?? [])] {
            guard let node = mapping.node[key] else { continue }
            for value in values where !rules.types.contains(where: { SchemaCheck.isA(value, $0) }) {
                reader.report("\(value.text) has none of the schema's types", at: node)
            }
        }
    }

    private func readNumbers(_ mapping: DocumentMapping, _ rules: inout Schema.Rules) {
        rules.minimum = mapping.optional("minimum")?.decimal()
        rules.maximum = mapping.optional("maximum")?.decimal()
        rules.exclusiveMinimum = mapping.optional("exclusiveMinimum")?.decimal()
        rules.exclusiveMaximum = mapping.optional("exclusiveMaximum")?.decimal()
        if let value = mapping.optional("multipleOf"), let unit = value.decimal() {
            if unit.isNegative || unit.isZero { value.report("must be more than 0") } else { rules.multipleOf = unit }
        }
        let least = rules.minimum ?? rules.exclusiveMinimum
        let most = rules.maximum ?? rules.exclusiveMaximum
        if let least, let most, most < least { mapping.report("no number is from \(least) to \(most)") }
    }

    private func readStrings(_ mapping: DocumentMapping, _ rules: inout Schema.Rules) {
        rules.minLength = mapping.int("minLength", in: 0...1_000_000)
        rules.maxLength = mapping.int("maxLength", in: 0...1_000_000)
        rules.format = mapping.optional("format")?.choice(Schema.Format.self, what: "format")
        guard let value = mapping.optional("pattern"), let text = value.string() else { return }
        do {
            rules.pattern = try SchemaPattern(text)
        } catch {
            value.report("pattern: \(error.message)")
        }
        if rules.maxLength == nil { value.report("'pattern' needs 'maxLength', so that its cost has a bound") }
    }

    private func readArrays(_ mapping: DocumentMapping, _ rules: inout Schema.Rules) {
        rules.items = mapping.optional("items").map { compile($0) }
        rules.minItems = mapping.int("minItems", in: 0...1_000_000)
        rules.maxItems = mapping.int("maxItems", in: 0...1_000_000)
        rules.uniqueItems = mapping.bool("uniqueItems", default: false)
    }

    private func readObjects(_ mapping: DocumentMapping, _ rules: inout Schema.Rules) {
        mapping.mapping("properties") { properties -> Void? in
            for (_, name, value) in properties.entries { rules.properties.append((name, compile(value))) }
            return ()
        }
        if let value = mapping.optional("additionalProperties") {
            if case .mapping = value.node.content {
                rules.additional = .matching(compile(value))
            } else {
                rules.additional = value.bool() == false ? .refused : .allowed
            }
        }
        let names = rules.properties.map(\.name)
        rules.required = mapping.list("required") { value in
            guard let name = value.string() else { return nil }
            // Alternatives name members of the schema around them.
            if !names.isEmpty, !names.contains(name) {
                value.report("'\(name)' is not among the properties\(Suggestion.clause(for: name, among: names))")
            }
            return name
        }
    }

    private func schemas(_ mapping: DocumentMapping, _ key: String) -> [Schema] {
        mapping.list(key, minCount: 1) { compile($0) }
    }

    private func reference(_ mapping: DocumentMapping) -> (name: String, schema: Schema)? {
        guard let value = mapping.optional("$ref"), let text = value.string() else { return nil }
        guard text.hasPrefix(Self.referencePrefix) else {
            value.report("expected '\(Self.referencePrefix)NAME', not '\(Suggestion.shortened(text))'")
            return nil
        }
        let name = String(text.dropFirst(Self.referencePrefix.count))
        if underway.contains(name) {
            value.report("'\(name)' leads back to itself")
            return nil
        }
        guard let schema = definition(name) else {
            value.report("unknown definition '\(name)'\(Suggestion.clause(for: name, among: definitions.keys))")
            return nil
        }
        return (name, schema)
    }

    /// A rule for a type that the schema does not allow is a mistake.
    private func checkApplicability(_ value: DocumentValue, _ rules: Schema.Rules) {
        guard !rules.types.isEmpty, case .mapping(let members) = value.node.content else { return }
        let keywords: [(kinds: [Schema.Kind], words: Set<String>)] = [
            (
                [.number, .integer],
                ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
            ),
            ([.string], ["minLength", "maxLength", "pattern", "format"]),
            ([.array], ["items", "minItems", "maxItems", "uniqueItems"]),
            ([.object], ["properties", "required", "additionalProperties"]),
        ]
        for (key, _) in members {
            for (kinds, words) in keywords where words.contains(key.scalar ?? "") {
                if !rules.types.contains(where: kinds.contains) {
                    reader.report("'\(key.scalar ?? "")' needs type \(kinds[0].rawValue)", at: key)
                }
            }
        }
    }
}

extension Schema {
    /// Compiles a schema from a file, with the definitions it may refer to. For tests and tools; contracts compile
    /// theirs together.
    package static func load(_ text: String, file: String) throws(DocumentErrors) -> Schema {
        let reader = DocumentReader()
        let node = try Document.parse(text, file: file)
        let schema = SchemaCompiler(reader: reader).compile(reader.value(node))
        try reader.finish()
        return schema
    }
}

extension SchemaCompiler {
    /// The definitions of a file `types.yaml`: a mapping `types` from names to schemas. What is wrong is reported.
    package static func definitions(
        _ mapping: DocumentMapping, reader: DocumentReader
    ) -> [(name: String, node: DocumentNode)] {
        var found: [(name: String, node: DocumentNode)] = []
        _ = mapping.required("types")?.mapping { types -> Void? in
            for (key, name, value) in types.entries {
                if !isTypeName(name) { reader.report("a type is named like 'ProductionOrder'", at: key) }
                if !found.contains(where: { $0.name == name }) { found.append((name, value.node)) }
            }
            return ()
        }
        return found
    }

    private static func isTypeName(_ name: String) -> Bool {
        name.utf8.first.map { $0 &- 65 < 26 } == true
            && name.utf8.allSatisfy { $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 }
    }
}
