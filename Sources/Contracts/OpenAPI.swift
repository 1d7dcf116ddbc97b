import JSON

/// The OpenAPI 3.1 document of exactly the contracts that are loaded: nothing else is promised, nothing is left out.
package struct OpenAPI: Sendable {
    package let contracts: ContractSet
    /// The version of the gateway.
    package let version: String
    /// Where the interface is reached, such as `https://millgate.plant.example:8443`; empty for "where this came from".
    package let servers: [String]

    package init(_ contracts: ContractSet, version: String, servers: [String] = []) {
        self.contracts = contracts
        self.version = version
        self.servers = servers
    }

    package var document: JSONValue {
        var object: JSONObject = [
            "openapi": "3.1.0",
            "info": [
                "title": "Millgate",
                "summary": "The governed interface between plant applications and Odoo",
                "description": .string(Self.introduction),
                "version": .string(version),
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
        ]
        let addresses = servers.isEmpty ? ["/"] : servers
        object["servers"] = .array(addresses.map { ["url": .string($0)] })
        object["security"] = [["bearer": []]]
        object["tags"] = .array(nouns.map { ["name": .string($0)] })
        object["paths"] = .object(paths)
        object["components"] = components
        return .object(object)
    }

    private static let introduction = """
        Every refusal is `application/problem+json` (RFC 9457); decide by its `type`. A write carries an \
        `Idempotency-Key`: repeated with the same key and body it has its effect once and gets the same answer. \
        Quantities are exact decimal numbers. Members that are not described are refused.
        """

    /// The nouns of the operations, each once, in alphabetical order.
    private var nouns: [String] { Set(contracts.contracts.map(Self.noun)).sorted() }

    private static func noun(_ contract: Contract) -> String {
        String(contract.operation.prefix { $0 != "." })
    }

    // MARK: Paths

    private var paths: JSONObject {
        var paths = JSONObject()
        for contract in contracts.contracts {
            for endpoint in contract.endpoints {
                var item = paths[endpoint.path.description]?.object ?? JSONObject()
                item[endpoint.method == .get ? "get" : "post"] = .object(operation(contract, endpoint))
                paths[endpoint.path.description] = .object(item)
            }
        }
        return paths
    }

    private func operation(_ contract: Contract, _ endpoint: Endpoint) -> JSONObject {
        let id = contract.endpoints.count == 1 ? contract.operation : "\(contract.operation).\(endpoint.name)"
        var object: JSONObject = [
            "operationId": .string(id),
            "summary": .string(endpoint.summary),
            "description": .string(description(contract)),
            "tags": [.string(Self.noun(contract))],
        ]
        var parameters = endpoint.pathParameters.map { parameter($0, in: "path") }
        parameters += endpoint.queryParameters.map { parameter($0, in: "query") }
        if !contract.idempotency.isEmpty {
            parameters.append(["$ref": "#/components/parameters/IdempotencyKey"])
        }
        if !parameters.isEmpty { object["parameters"] = .array(parameters) }
        if let body = endpoint.body {
            object["requestBody"] = [
                "required": .bool(endpoint.isBodyRequired),
                "content": .object([endpoint.bodyMediaType: .object(media(body, examples(endpoint, \.body)))]),
            ]
        }
        object["responses"] = .object(responses(contract, endpoint))
        var facts: JSONObject = [
            "operation": .string(contract.operation), "kind": .string(contract.kind.rawValue),
            "admission": .string(contract.admission.rawValue),
            "deadline_seconds": JSONValue(Int(contract.deadline / 1_000_000_000)),
            "roles": .array(contract.roles.map { .string($0) }),
            "events": .array(contract.events.map { .string($0) }),
        ]
        if let settling = contract.settling {
            facts["settling"] = [
                "found_by": .string(settling.evidence.rawValue), "look": .string(settling.look),
                "found": "completes", "absent": .string(settling.absence.rawValue),
                "handed_over": .array(settling.handedOver.map { .string($0) }),
            ]
        }
        object["x-millgate"] = .object(facts)
        return object
    }

    private func description(_ contract: Contract) -> String {
        var text = contract.description
        if !contract.idempotency.isEmpty { text += "\n\n**Once.** " + contract.idempotency }
        if let settling = contract.settling { text += "\n\n**Unknown.** " + settling.text }
        return text
    }

    private func parameter(_ parameter: Endpoint.Parameter, in place: String) -> JSONValue {
        var object: JSONObject = [
            "name": .string(parameter.name), "in": .string(place), "description": .string(parameter.description),
            "required": .bool(parameter.isRequired), "schema": Self.schema(parameter.schema),
        ]
        // Lists are written with commas, not as repeated parameters.
        if parameter.schema.types == [.array], place == "query" {
            object["style"] = "form"
            object["explode"] = false
        }
        return .object(object)
    }

    private func examples(_ endpoint: Endpoint, _ value: (Endpoint.Example) -> JSONValue?) -> JSONObject {
        var examples = JSONObject()
        for (index, example) in endpoint.examples.enumerated() {
            guard let value = value(example) else { continue }
            examples["example-\(index + 1)"] = ["summary": .string(example.summary), "value": value]
        }
        return examples
    }

    private func media(_ schema: Schema, _ examples: JSONObject) -> JSONObject {
        var object: JSONObject = ["schema": Self.schema(schema)]
        if !examples.isEmpty { object["examples"] = .object(examples) }
        return object
    }

    // MARK: Responses

    private static let limitFields: JSONObject = [
        "RateLimit": ["$ref": "#/components/headers/RateLimit"],
        "RateLimit-Policy": ["$ref": "#/components/headers/RateLimit-Policy"],
    ]

    private func responses(_ contract: Contract, _ endpoint: Endpoint) -> JSONObject {
        var responses = JSONObject()
        var fields = Self.limitFields
        if contract.kind == .write {
            fields["Idempotent-Replayed"] = ["$ref": "#/components/headers/Idempotent-Replayed"]
        }
        responses[String(endpoint.status)] = [
            "description": .string(endpoint.summary),
            "headers": .object(fields),
            "content": .object([
                endpoint.mediaType: .object(media(endpoint.output, examples(endpoint) { $0.response }))
            ]),
        ]
        if contract.kind == .write, let accepted { responses["202"] = accepted }
        for status in Set(contract.problems.map(\.status)).sorted() {
            let types = contract.problems.filter { $0.status == status }
            var object: JSONObject = [
                "description": .string(types.map { "`\($0.rawValue)`: \($0.title)" }.joined(separator: "; ")),
                "content": [
                    "application/problem+json": [
                        "schema": [
                            "allOf": [
                                ["$ref": "#/components/schemas/Problem"],
                                ["properties": ["type": ["enum": .array(types.map { .string($0.uri) })]]],
                            ]
                        ]
                    ]
                ],
            ]
            if let field = Self.field(ofStatus: status) {
                object["headers"] = .object([field: ["$ref": "#/components/headers/\(field)"]])
            }
            responses[String(status)] = .object(object)
        }
        return responses
    }

    private static func field(ofStatus status: Int) -> String? {
        switch status {
        case 401: "WWW-Authenticate"
        case 429, 503: "Retry-After"
        default: nil
        }
    }

    /// The answer to a write with `Prefer: respond-async`; nil when no contract describes operations.
    private var accepted: JSONValue? {
        guard contracts.types.contains(where: { $0.name == "Operation" }) else { return nil }
        return [
            "description": "Accepted with `Prefer: respond-async`; `Location` tells where its outcome will stand",
            "headers": [
                "Location": ["schema": ["type": "string", "format": "uri-reference"], "required": true],
                "Preference-Applied": ["schema": ["type": "string"]],
            ],
            "content": ["application/json": ["schema": ["$ref": "#/components/schemas/Operation"]]],
        ]
    }

    // MARK: Components

    private var components: JSONValue {
        var schemas = JSONObject()
        for (name, schema) in contracts.types { schemas[name] = Self.schema(schema) }
        schemas["Problem"] = Self.problem
        return [
            "schemas": .object(schemas),
            "parameters": ["IdempotencyKey": Self.idempotencyKey],
            "headers": Self.headers,
            "securitySchemes": [
                "bearer": [
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description":
                        "A token of an issuer that the gateway trusts, for its audience (RFC 6750, RFC 9068)",
                ]
            ],
        ]
    }

    private static let idempotencyKey: JSONValue = [
        "name": "Idempotency-Key", "in": "header", "required": true,
        "description":
            "One for each thing that is to happen once; a UUID is best (draft-ietf-httpapi-idempotency-key-header-07)",
        "schema": ["type": "string", "minLength": 1, "maxLength": 255],
    ]

    private static let headers: JSONValue = [
        "RateLimit": [
            "description": "What is left of the limits (draft-ietf-httpapi-ratelimit-headers)",
            "schema": ["type": "string"],
        ],
        "RateLimit-Policy": ["description": "The limits that apply", "schema": ["type": "string"]],
        "Idempotent-Replayed": [
            "description": "`true` on the stored answer of an earlier request with this key",
            "schema": ["type": "string", "enum": ["true"]],
        ],
        "Retry-After": [
            "description": "Seconds until another try makes sense", "schema": ["type": "integer", "minimum": 0],
        ],
        "WWW-Authenticate": ["description": "RFC 6750 §3", "schema": ["type": "string"]],
    ]

    private static let problem: JSONValue = [
        "description": "A refusal (RFC 9457)",
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": [
            "type": ["type": "string", "format": "uri"],
            "title": ["type": "string"],
            "status": ["type": "integer"],
            "detail": ["type": "string", "description": "What happened this time, and what to do"],
            "instance": ["type": "string", "description": "The request's id"],
            "retry_after": ["type": "integer", "description": "Seconds"],
            "violations": [
                "type": "array",
                "items": [
                    "type": "object",
                    "required": ["detail"],
                    "properties": [
                        "pointer": ["type": "string", "description": "JSON Pointer into the body (RFC 6901)"],
                        "parameter": ["type": "string"],
                        "in": ["type": "string", "enum": ["path", "query", "header"]],
                        "detail": ["type": "string"],
                    ],
                ],
            ],
        ],
    ]

    /// The schema with its references turned to where the document keeps them.
    private static func schema(_ schema: Schema) -> JSONValue { rewritten(schema.source) }

    private static func rewritten(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map(rewritten))
        case .object(let members):
            var result = JSONObject()
            for (key, value) in members.members {
                if key == "$ref", let text = value.string, text.hasPrefix(SchemaCompiler.referencePrefix) {
                    let name = text.dropFirst(SchemaCompiler.referencePrefix.count)
                    result[key] = .string("#/components/schemas/\(name)")
                } else {
                    result[key] = rewritten(value)
                }
            }
            return .object(result)
        default: return value
        }
    }
}
