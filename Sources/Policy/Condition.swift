import Documents
import Expressions

/// The condition of a rule: an expression of CEL that must hold besides the rest. Compiled for each operation, because
/// each has an input of its own.
package struct Condition: Sendable {
    /// As written.
    package let source: String
    /// By operation or RPC pattern.
    let byOperation: [String: Compiled]
    /// It asks for the input, the resource, or what changes from request to request.
    package let dependsOnRequest: Bool

    /// For one operation.
    struct Compiled: Sendable {
        let expression: Expression
        let schema: ConditionSchema
        let usesInput: Bool
        let usesResource: Bool
    }

    /// What comes of an evaluation.
    enum Outcome { case holds, fails, error, unknown }

    /// Claims that it names, `roles` of `principal.claims.roles`.
    package let claims: Set<String>
    /// It looks at all claims, or at one whose name is computed.
    let usesAllClaims: Bool

    /// As compiled for an operation or an RPC pattern.
    package func expression(for operation: String) -> Expression? { byOperation[operation]?.expression }

    /// Any of the compiled forms, for its clauses and comparisons.
    package var expression: Expression? { byOperation.values.first?.expression }

    /// Compiles a condition for all operations of a rule; reports what is wrong with it, with its place in the file.
    static func read(
        _ value: DocumentValue, operations: Set<String>, schemas: inout [String: ConditionSchema],
        catalog: OperationCatalog
    ) -> Condition? {
        guard let source = value.string() else { return nil }
        var compiled: [String: Compiled] = [:]
        var references: Set<String> = []
        for name in operations.sorted() {
            // All methods of RPC look alike.
            let key = RPCOperation.isOperation(name) ? RPCOperation.prefix : name
            let schema = schemas[key] ?? ConditionSchema(catalog[name] ?? .rpc(name))
            schemas[key] = schema
            do throws(ExpressionErrors) {
                let expression = try Expression(source, in: schema.environment, result: .bool)
                references.formUnion(expression.references)
                compiled[name] = Compiled(
                    expression: expression, schema: schema,
                    usesInput: expression.references.contains { Self.isRooted($0, "input") },
                    usesResource: expression.references.contains { Self.isRooted($0, "resource") })
            } catch {
                for one in error.errors { report(one, value, source, operation: operations.count > 1 ? name : nil) }
                return nil
            }
        }
        let claims = references.filter { isRooted($0, "principal.claims") }
        return Condition(
            source: source, byOperation: compiled,
            dependsOnRequest: references.contains {
                isRooted($0, "input") || isRooted($0, "resource") || isRooted($0, "environment")
            },
            claims: Set(
                claims.compactMap { path in
                    let parts = path.split(separator: ".")
                    return parts.count > 2 ? String(parts[2].prefix { $0 != "[" }) : nil
                }),
            usesAllClaims: claims.contains { $0 == "principal.claims" || $0 == "principal" || $0.contains("claims[]") }
                || references.contains("principal"))
    }

    /// The member of the input that a path begins with, `quantity` of `input.quantity`.
    static func inputName(_ path: String) -> String? {
        guard path.hasPrefix("input.") else { return nil }
        return String(path.dropFirst(6).prefix { $0 != "." && $0 != "[" })
    }

    private static func isRooted(_ path: String, _ root: String) -> Bool {
        path == root || path.hasPrefix(root + ".") || path.hasPrefix(root + "[")
    }

    /// Says it at the place in the file: exactly where the text stands in one line, otherwise by line and column of the
    /// expression.
    private static func report(
        _ error: ExpressionError, _ value: DocumentValue, _ source: String, operation: String?
    ) {
        let whose = operation.map { " (for '\($0)')" } ?? ""
        guard case .scalar(_, let isPlain) = value.node.content, isPlain, !source.contains("\n") else {
            let place = source.contains("\n") ? ", line \(error.line)" : ""
            value.report("condition\(place), column \(error.column): \(error.message)\(whose)")
            return
        }
        let mark = value.mark
        value.reader.report(
            "condition: \(error.message)\(whose)",
            at: DocumentMark(file: mark.file, line: mark.line, column: mark.column + error.column - 1))
    }
}
