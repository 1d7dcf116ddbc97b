import Expressions
import JSON
import Testing

/// An environment as a plant's policy might have it.
enum Plant {
    static let line = RecordType(
        name: "line", fields: [.init("product", .string), .init("quantity", .double), .init("lot", .string)])
    static let input = RecordType(
        name: "input",
        fields: [
            .init("quantity", .int), .init("weight", .double), .init("note", .string),
            .init("lines", .list(.record(line)), countMax: 20),
            .init("labels", .map(.string, .string)), .init("due", .timestamp), .init("extra", .dyn),
        ])
    static let principal = RecordType(
        name: "principal",
        fields: [
            .init("subject", .string, countMax: 128), .init("roles", .list(.string), countMax: 64),
            .init("sites", .list(.string)),
        ])
    static let environment = ExpressionEnvironment([
        .init("principal", .record(principal)), .init("input", .record(input)), .init("now", .timestamp),
    ])

    static func bindings(
        principal: JSONValue = ["subject": "mes-1", "roles": ["operator"], "sites": ["graz"]],
        input: JSONValue = ["quantity": 5], now: String = "2026-11-25T06:30:00Z"
    ) -> ExpressionBindings {
        ExpressionBindings([
            ExpressionValue(principal, as: .record(Self.principal)), ExpressionValue(input, as: .record(Self.input)),
            ExpressionValue(.string(now), as: .timestamp),
        ])
    }
}

enum Free {
    /// No variables, types checked.
    static let checked = ExpressionEnvironment([])
    /// No variables, everything is found out while it is evaluated.
    static let unchecked = ExpressionEnvironment([], isChecked: false)

    static func evaluate(
        _ text: String, in environment: ExpressionEnvironment = unchecked
    ) -> Result<ExpressionValue, EvaluationError>? {
        guard let expression = try? Expression(text, in: environment) else { return nil }
        do throws(EvaluationError) {
            return .success(try expression.evaluate(ExpressionBindings(for: environment)))
        } catch {
            return .failure(error)
        }
    }

    /// The value as JSON, `error: …` for a failed evaluation, `refused: …` for a text that does not compile.
    static func shown(_ text: String, in environment: ExpressionEnvironment = unchecked) -> String {
        do {
            let value = try Expression(text, in: environment).evaluate(ExpressionBindings(for: environment))
            return value.typeName + " " + value.json.text
        } catch let errors as ExpressionErrors {
            return "refused: \(errors)"
        } catch {
            return "error: \(error)"
        }
    }
}
