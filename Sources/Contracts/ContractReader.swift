import Bytes
import Documents
import JSON

/// Reads the file of one contract. Reports to the reader; what is returned counts only when nothing was reported.
struct ContractReader {
    let schemas: SchemaCompiler
    let file: String

    func contract(_ mapping: DocumentMapping) -> Contract {
        let operation = mapping.required("operation").flatMap { value in
            value.string().flatMap { name in
                if Self.isOperation(name) { return name }
                value.report("an operation is named like 'production-order.confirm', not '\(name)'")
                return nil
            }
        }
        if let operation, let value = mapping.optional("operation"), !file.hasSuffix("/\(operation).yaml") {
            value.report("the contract of '\(operation)' belongs into \(operation).yaml")
        }
        let kind = mapping.required("kind")?.choice(Contract.Kind.self, what: "kind") ?? .read
        let endpoints = mapping.required("endpoints")?.list(minCount: 1) { endpoint($0, kind) } ?? []
        let recipe = mapping.mapping("recipe") { SiteRecipeReader(endpoints: endpoints, kind: kind).recipe($0) }
        let contract = Contract(
            operation: operation ?? "",
            title: mapping.requiredString("title"),
            description: mapping.requiredString("description"),
            kind: kind,
            admission: mapping.required("admission")?.choice(Contract.Admission.self, what: "admission class")
                ?? .standard,
            deadline: mapping.required("deadline")?.duration(in: .seconds(1) ... .minutes(10)) ?? .seconds(1),
            resource: mapping.optional("resource")?.list { $0.choice(Self.attributes, what: "attribute") }
                ?? ["site", "warehouse"],
            roles: mapping.strings("roles"),
            idempotency: idempotency(mapping, kind),
            settling: SettlingReader.settling(mapping, kind, recipe),
            events: events(mapping, kind),
            odoo: mapping.list("odoo") { right($0) },
            freshness: freshness(mapping, kind), touches: touches(mapping, kind),
            errors: mapping.list("errors") { value in
                value.choice(ProblemType.allCases.map(\.rawValue), what: "problem").flatMap(ProblemType.init(rawValue:))
            },
            endpoints: endpoints,
            recipe: recipe,
            file: file)
        if recipe != nil, contract.resource.contains(where: { $0 != "site" && $0 != "warehouse" }) {
            mapping.optional("resource")?.report("a recipe knows the site of its record, and nothing else of it")
        }
        for (index, endpoint) in contract.endpoints.enumerated()
        where contract.endpoints[..<index].contains(where: { $0.name == endpoint.name }) {
            mapping.report("two endpoints are named '\(endpoint.name)'")
        }
        return contract
    }

    /// What rules can tell resources apart by.
    private static let attributes = ["site", "work_center", "warehouse", "product_category"]

    /// `noun.verb` in lower-case words with hyphens.
    static func isOperation(_ text: String) -> Bool {
        let halves = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return halves.count == 2
            && halves.allSatisfy { half in
                half.allSatisfy { $0 &- 97 < 26 || $0 == UInt8(ascii: "-") } && !half.isEmpty
                    && half.first != UInt8(ascii: "-") && half.last != UInt8(ascii: "-")
            }
    }

    private func idempotency(_ mapping: DocumentMapping, _ kind: Contract.Kind) -> String {
        switch kind {
        case .write: return mapping.requiredString("idempotency")
        // Of a gateway operation it says that it wants a key; most do not.
        case .gateway: return mapping.string("idempotency", default: "")
        case .read:
            if let value = mapping.optional("idempotency") { value.report("a read needs no 'idempotency'") }
            return ""
        }
    }

    private func events(_ mapping: DocumentMapping, _ kind: Contract.Kind) -> [String] {
        if kind == .read, let value = mapping.optional("events") { value.report("a read becomes no event") }
        return mapping.list("events") { value in
            value.string().flatMap { name in
                if Self.isOperation(name) { return name }
                value.report("an event is named like 'production-order.created', not '\(name)'")
                return nil
            }
        }
    }

    private func freshness(_ mapping: DocumentMapping, _ kind: Contract.Kind) -> Nanoseconds? {
        guard let value = mapping.optional("freshness") else { return nil }
        if kind != .read { value.report("only what a read answers may be fresh") }
        return value.duration(in: .seconds(1) ... .hours(1))
    }

    private func touches(_ mapping: DocumentMapping, _ kind: Contract.Kind) -> [String]? {
        guard let value = mapping.optional("touches") else { return nil }
        if kind != .write { value.report("only a write touches anything") }
        return value.list { $0.string() }
    }

    private func right(_ value: DocumentValue) -> Contract.OdooRight? {
        value.mapping { mapping in
            Contract.OdooRight(
                model: mapping.requiredString("model"),
                rights: mapping.required("rights")?.list(minCount: 1) {
                    $0.choice(["read", "create", "write", "unlink"], what: "right")
                } ?? [])
        }
    }

    // MARK: Endpoints

    private func endpoint(_ value: DocumentValue, _ kind: Contract.Kind) -> Endpoint? {
        value.mapping { mapping -> Endpoint? in
            let name = mapping.requiredString("name")
            let method = mapping.required("method")?.choice(Endpoint.Method.self, what: "method") ?? .get
            if let value = mapping.optional("method"), kind != .gateway, (method == .get) != (kind == .read) {
                value.report(kind == .read ? "a read is a GET" : "a write is a POST")
            }
            let summary = mapping.requiredString("summary")
            let template = mapping.required("path").flatMap { value in
                value.string().flatMap { text in
                    if let template = PathTemplate(text) { return template }
                    value.report("expected a path such as /v1/production-orders/{id}, not '\(text)'")
                    return nil
                }
            }
            let path = parameters(mapping, "path_parameters", alwaysRequired: true)
            var query = parameters(mapping, "query_parameters", alwaysRequired: false)
            let (body, isBodyRequired, bodyMediaType) = body(mapping, method)
            let (status, output, mediaType) = response(mapping)
            if mapping.bool("selectable", default: false) {
                if let fields = Endpoint.Parameter.fields(of: output), kind == .read {
                    query.append(fields)
                } else {
                    mapping.report("only a read that answers an object, or a list as 'items', is selectable")
                }
            }
            guard let template else { return nil }
            if Set(template.parameters) != Set(path.map(\.name)) || path.count != template.parameters.count {
                mapping.report(
                    "'path_parameters' must describe \(template.parameters.map { "{\($0)}" }.joined(separator: ", ")), "
                        + "each once")
            }
            let ordered = template.parameters.compactMap { name in path.first { $0.name == name } }
            let shell = Endpoint(
                name: name, method: method, path: template, summary: summary, pathParameters: ordered,
                queryParameters: query, body: body, isBodyRequired: isBodyRequired, bodyMediaType: bodyMediaType,
                status: status, mediaType: mediaType, output: output, examples: [])
            let examples = mapping.required("examples")?.list(minCount: 1) { example($0, of: shell) } ?? []
            return Endpoint(
                name: name, method: method, path: template, summary: summary, pathParameters: ordered,
                queryParameters: query, body: body, isBodyRequired: isBodyRequired, bodyMediaType: bodyMediaType,
                status: status, mediaType: mediaType, output: output, examples: examples)
        }
    }

    private func parameters(_ mapping: DocumentMapping, _ key: String, alwaysRequired: Bool) -> [Endpoint.Parameter] {
        var names: Set<String> = []
        return mapping.list(key) { value in
            value.mapping { entry -> Endpoint.Parameter? in
                let name = entry.requiredString("name")
                if !names.insert(name).inserted { entry.report("parameter '\(name)' occurs twice") }
                let isRequired = alwaysRequired ? true : entry.bool("required", default: false)
                let description = entry.requiredString("description")
                guard let value = entry.required("schema") else { return nil }
                let schema = schemas.compile(value)
                let scalars: [Schema.Kind] = [.string, .integer, .number, .boolean]
                let types = schema.types == [.array] ? schema.items?.types ?? [] : schema.types
                if types.isEmpty || !types.allSatisfy(scalars.contains) {
                    value.report("a parameter is a string, a number, a boolean, or an array of one of them")
                }
                return Endpoint.Parameter(name: name, description: description, isRequired: isRequired, schema: schema)
            }
        }
    }

    private func body(_ mapping: DocumentMapping, _ method: Endpoint.Method) -> (Schema?, isRequired: Bool, String) {
        guard let value = mapping.optional("body") else { return (nil, false, Endpoint.json) }
        if method == .get { value.report("a GET has no body") }
        var isRequired = true
        var media = Endpoint.json
        let schema = value.mapping { entry -> Schema? in
            isRequired = entry.bool("required", default: true)
            media = mediaType(entry)
            guard let value = entry.required("schema") else { return nil }
            let schema = schemas.compile(value)
            if schema.types != [.object] || !schema.isClosed {
                value.report("the schema of a body has 'type: object' and 'additionalProperties: false'")
            }
            return schema
        }
        return (schema, isRequired, media)
    }

    private func response(_ mapping: DocumentMapping) -> (status: Int, Schema, String) {
        var status = 200
        var media = Endpoint.json
        let schema = mapping.required("response")?.mapping { entry -> Schema? in
            status = entry.int("status", in: 200...202, default: 200)
            media = mediaType(entry)
            return entry.required("schema").map { schemas.compile($0) }
        }
        return (status, schema ?? Schema(rules: Schema.Rules(), source: [:]), media)
    }

    private func mediaType(_ entry: DocumentMapping) -> String {
        entry.optional("media_type")?.choice(Endpoint.mediaTypes, what: "media type") ?? Endpoint.json
    }

    // MARK: Examples

    private func example(_ value: DocumentValue, of endpoint: Endpoint) -> Endpoint.Example? {
        value.mapping { mapping -> Endpoint.Example? in
            let summary = mapping.requiredString("summary")
            let path = literals(mapping, "path", endpoint.pathParameters)
            let query = literals(mapping, "query", endpoint.queryParameters)
            var body: JSONValue?
            if let value = mapping.optional("body") {
                body = value.node.json
                if let schema = endpoint.body {
                    schemas.expect(value.node, to: schema, as: "the example's body")
                } else {
                    value.report("the endpoint takes no body")
                }
            } else if endpoint.isBodyRequired {
                mapping.report("the example has no 'body'")
            }
            guard let response = mapping.required("response") else { return nil }
            schemas.expect(response.node, to: endpoint.output, as: "the example's response")
            return Endpoint.Example(
                summary: summary, path: path, query: query, body: body, response: response.node.json)
        }
    }

    private func literals(_ mapping: DocumentMapping, _ key: String, _ parameters: [Endpoint.Parameter]) -> JSONObject {
        var result = JSONObject()
        if let value = mapping.optional(key) {
            value.mapping { entry in
                for parameter in parameters {
                    guard let value = entry.optional(parameter.name) else { continue }
                    schemas.expect(value.node, to: parameter.schema, as: "the example's '\(parameter.name)'")
                    result[parameter.name] = value.node.json
                }
            }
        }
        for parameter in parameters where parameter.isRequired && result[parameter.name] == nil {
            mapping.report("the example has no '\(parameter.name)' in '\(key)'")
        }
        return result
    }
}
