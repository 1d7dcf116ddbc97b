import Bytes
import Contracts
import Expressions
import Identity
import JSON

/// What conditions on an operation may ask for: `principal`, `input`, `resource` and `environment`, each with its type,
/// so that a misspelt field is an error when the policy is loaded.
package struct ConditionSchema: Sendable {
    /// Places of the four variables in bindings.
    enum Slot: Int { case principal, input, resource, environment }

    let environment: ExpressionEnvironment
    private let inputType: ExpressionType
    private let resourceType: RecordType

    static let principalType = RecordType(
        name: "principal",
        fields: [
            .init("subject", .string), .init("issuer", .string), .init("client_id", .string),
            .init("roles", .list(.string)), .init("sites", .list(.string)), .init("work_centers", .list(.string)),
            .init("claims", .map(.string, .dyn)), .init("certificate", .string),
        ])
    static let environmentType = RecordType(
        name: "environment",
        fields: [
            .init("time", .timestamp), .init("address", .string), .init("listener", .string),
            .init("client_certificate", .bool),
        ])

    init(_ operation: PolicyOperation) {
        inputType = operation.input.type
        resourceType = RecordType(
            name: "resource",
            fields: Resource.Attribute.allCases.filter { operation.attributes.contains($0) }
                .map { .init($0.rawValue, .string) })
        environment = ExpressionEnvironment([
            .init("principal", .record(Self.principalType)), .init("input", inputType),
            .init("resource", .record(resourceType)), .init("environment", .record(Self.environmentType)),
        ])
    }

    // MARK: Values

    func input(_ json: JSONValue) -> ExpressionValue? { ExpressionValue(json, as: inputType) }

    func resource(_ resource: Resource) -> ExpressionValue {
        .record(
            ExpressionRecord(
                resourceType,
                resourceType.fields.map { field in
                    Resource.Attribute(rawValue: field.name).flatMap { resource[$0] }.map { .string($0) }
                }))
    }

    static func principal(_ principal: Principal, roles: [String]) -> ExpressionValue {
        func places(_ claims: OwnClaims) -> ExpressionValue {
            var all: [ExpressionValue] = []
            _ = claims.contains(of: principal) { place in
                all.append(.string(place))
                return false
            }
            return .list(all)
        }
        let fields: [ExpressionValue?] = [
            .string(principal.subject), .string(principal.issuer), principal.clientID.map { .string($0) },
            .list(roles.map { .string($0) }), places(.site), places(.workCenter),
            ExpressionValue(.object(principal.claims), as: .map(.string, .dyn)),
            principal.certificateThumbprint.map { .string($0) },
        ]
        return .record(ExpressionRecord(principalType, fields))
    }

    static func environment(_ facts: RequestFacts) -> ExpressionValue {
        let fields: [ExpressionValue?] = [
            .timestamp(Timestamp(facts.now)), facts.address.map { .string($0) }, facts.listener.map { .string($0) },
            .bool(facts.hasClientCertificate),
        ]
        return .record(ExpressionRecord(environmentType, fields))
    }
}

/// The input of an operation, as conditions see it.
package struct OperationInput: Sendable {
    package let type: ExpressionType

    package init(_ type: ExpressionType) { self.type = type }

    /// Nobody has described it: fields are looked for when a condition is evaluated.
    package static let any = OperationInput(.map(.string, .dyn))

    /// Method and path of a proxied request.
    package static let proxied = OperationInput(
        .record(RecordType(name: "input", fields: [.init("method", .string), .init("path", .string)])))

    /// Dead letters that somebody wants sent again: whose, how many, and whether nothing but `all` selected them.
    package static let redrive = OperationInput(
        .record(
            RecordType(
                name: "input",
                fields: [.init("subscriber", .string), .init("letters", .int), .init("all", .bool)])))

    /// A call of Odoo's RPC, as docs/RPC.md has it.
    package static let rpc = OperationInput(
        .record(
            RecordType(
                name: "input",
                fields: [
                    .init("database", .string), .init("model", .string), .init("method", .string),
                    .init("access", .string), .init("ids", .list(.int)), .init("fields", .list(.string)),
                    .init("criteria", .list(.string)), .init("values", .list(.string)),
                    .init("arguments", .map(.string, .dyn)),
                ])))

    /// The members of query, path and body of all endpoints together. What two endpoints type differently is `dyn`.
    package init(_ contract: Contract) {
        var names: [String] = []
        var types: [String: ExpressionType] = [:]
        func add(_ name: String, _ schema: Schema) {
            let type = Self.type(schema)
            if let known = types[name] {
                if known != type { types[name] = .dyn }
            } else {
                names.append(name)
                types[name] = type
            }
        }
        for endpoint in contract.endpoints {
            for parameter in endpoint.pathParameters + endpoint.queryParameters {
                add(parameter.name, parameter.schema)
            }
            for (name, schema) in endpoint.body?.members ?? [] { add(name, schema) }
        }
        type = .record(RecordType(name: "input", fields: names.map { .init($0, types[$0] ?? .dyn) }))
    }

    private static func type(_ schema: Schema) -> ExpressionType {
        let types = schema.types.filter { $0 != .null }
        guard types.count == 1, let one = types.first else { return .dyn }
        switch one {
        case .null: return .dyn
        case .boolean: return .bool
        case .integer: return .int
        case .number: return .double
        case .string: return .string
        case .array: return .list(schema.items.map(type) ?? .dyn)
        case .object:
            guard schema.isClosed, !schema.members.isEmpty else { return .map(.string, .dyn) }
            return .record(
                RecordType(name: "object", fields: schema.members.map { .init($0.name, type($0.schema)) }))
        }
    }
}

extension Resource {
    subscript(attribute: Attribute) -> String? {
        switch attribute {
        case .site: site
        case .workCenter: workCenter
        case .warehouse: warehouse
        case .productCategory: productCategory
        }
    }
}
