import Bytes
import Documents
import Foundation
import JSON
import Policy
import PolicyTools
import Testing

@testable import Contracts

/// The schemas that editors use say what the loader says.
@Suite struct SchemaFileTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func schema(_ name: String) throws -> Schema {
        let file = "policies/schemas/\(name).json"
        let text = try String(contentsOf: root.appending(path: file), encoding: .utf8)
        let reader = DocumentReader()
        // `$schema` names the dialect; contracts need none.
        let node = try Document.parse(text.replacing(/"\$schema": "[^"]*",/, with: ""), file: file)
        let schema = SchemaCompiler(reader: reader, definitions: [:]).compile(DocumentValue(node: node, reader: reader))
        try reader.finish()
        return schema
    }

    static func files(_ folder: String) throws -> [(path: String, text: String)] {
        let path = root.appending(path: "policies/\(folder)")
        return try FileManager.default.contentsOfDirectory(atPath: path.path()).filter { $0.hasSuffix(".yaml") }
            .sorted()
            .map { ("policies/\(folder)/\($0)", try String(contentsOf: path.appending(path: $0), encoding: .utf8)) }
    }

    @Test(arguments: ["access", "tests", "services", "limits"])
    func shippedFilesFitTheirSchemas(folder: String) throws {
        let schema = try Self.schema(folder)
        for (path, text) in try Self.files(folder) where !path.hasSuffix("/types.yaml") {
            let violations = schema.validate(try Document.parse(text, file: path).json)
            #expect(violations.isEmpty, "\(path): \(violations)")
        }
    }

    @Test(arguments: ["roles", "bundle"])
    func shippedSingleFilesFitTheirSchemas(name: String) throws {
        let path = "policies/\(name).yaml"
        let text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
        let violations = try Self.schema(name).validate(try Document.parse(text, file: path).json)
        #expect(violations.isEmpty, "\(violations)")
    }

    /// A rule, and whether it is one: the loader and the schema must agree on each.
    static let rules: [(String, Bool)] = [
        ("{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own}", true),
        ("{id: r, effect: allow, roles: \"*\", operations: \"*\", sites: \"*\"}", true),
        ("{id: r, effect: permit, roles: [operator], operations: [order.read], sites: own}", false),
        ("{id: R, effect: allow, roles: [operator], operations: [order.read], sites: own}", false),
        ("{id: r, roles: [operator], operations: [order.read], sites: own}", false),
        ("{id: r, effect: allow, operations: [order.read], sites: own}", false),
        ("{id: r, effect: allow, roles: [], operations: [order.read], sites: own}", false),
        ("{id: r, effect: allow, roles: [operator], operations: [], sites: own}", false),
        ("{id: r, effect: allow, roles: [operator], operations: [order.read]}", false),
        ("{id: r, effect: allow, roles: [operator], operations: [order.read], sites: here}", false),
        ("{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, warehouses: own}", false),
        ("{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, warehouses: [WH]}", true),
        ("{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, work_centers: own}", true),
        (
            "{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, product_categories: [x]}",
            true
        ),
        ("{id: r, effect: allow, principals: {roles: [operator]}, operations: [order.read], sites: own}", true),
        ("{id: r, effect: allow, principals: {issuers: [x]}, operations: [order.read], sites: own}", true),
        (
            "{id: r, effect: allow, roles: \"*\", principals: {issuers: [x]}, operations: [order.read], sites: own}",
            false
        ),
        (
            "{id: r, effect: allow, principals: {service_accounts: [{client_id: x}]}, operations: [order.read], sites: own}",
            false
        ),
        (
            "{id: r, effect: allow, principals: {certificates: [{thumbprint: x}]}, operations: [order.read], sites: own}",
            false
        ),
        ("{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, mode: observe}", true),
        ("{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, mode: watch}", false),
        (
            "{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, valid_until: 2027-01-01}",
            true
        ),
        ("{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, valid_until: soon}", false),
        (
            "{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, disclosure: help, help: Ask.}",
            true
        ),
        ("{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, owner: x, ticket: y}", true),
        ("{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, condition: input.x}", true),
        ("{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, until: 2027-01-01}", false),
        (
            "{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, obligations: {fresh_token: {max_age: 5m}}}",
            true
        ),
        (
            "{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, obligations: {fresh_token: {}}}",
            false
        ),
        (
            "{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, obligations: {mask: [a.b]}}",
            false
        ),
        (
            "{id: r, effect: allow, roles: [operator], operations: [order.read], sites: own, obligations: {second_person: {roles: [auditor], valid_for: 1h}, mask: [a], client_certificate: true, audit_body: true}}",
            true
        ),
    ]

    @Test(arguments: rules.indices)
    func loaderAndSchemaAgreeOnRules(index: Int) throws {
        let (rule, isRule) = Self.rules[index]
        let text = "rules:\n  - \(rule)\n"
        let violations = try Self.schema("access").validate(try Document.parse(text, file: "a.yaml").json)
        #expect(violations.isEmpty == isRule, "\(rule): \(violations)")
        let loads = (try? policy("  - \(rule)\n")) != nil
        #expect(loads == isRule, "\(rule)")
    }

    @Test(
        arguments: [
            ("{description: d, any: [{claim: a, contains: b}]}", true),
            ("{description: d, service: true, inherits: [operator], any: [{client_id: a, issuer: b}]}", true),
            ("{description: d, any: [{certificate: {subject: CN=x, issuer: CN=y}}]}", true),
            ("{description: d, any: []}", false), ("{any: [{claim: a, contains: b}]}", false),
            ("{description: d, any: [{claim: a}]}", false), ("{description: d, any: [{client_id: a}]}", false),
            ("{description: d, inherit: [operator], any: [{claim: a, contains: b}]}", false),
        ])
    func loaderAndSchemaAgreeOnRoles(role: String, isRole: Bool) throws {
        let violations = try Self.schema("roles").validate(
            try Document.parse("roles:\n  x: \(role)\n", file: "r.yaml").json)
        #expect(violations.isEmpty == isRole, "\(role): \(violations)")
        let rule = "  - {id: r, effect: allow, roles: \"*\", operations: \"*\", sites: own}\n"
        let loads = (try? policy(rule, roles: "  x: \(role)\n")) != nil
        #expect(loads == isRole, "\(role)")
    }
}
