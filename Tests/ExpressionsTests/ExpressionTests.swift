import Bytes
import JSON
import Testing

@testable import Expressions

/// What a policy asks of an expression beside its value.
@Suite struct ExpressionTests {
    @Test func fieldsAreReadBySlot() throws {
        let expression = try Expression(
            "input.quantity <= 10 && 'operator' in principal.roles && now.getHours() >= 6", in: Plant.environment)
        #expect(try expression.holds(Plant.bindings()))
        #expect(try !expression.holds(Plant.bindings(input: ["quantity": 11])))
        #expect(throws: EvaluationError.noSuchField("quantity")) { try expression.holds(Plant.bindings(input: [:])) }
    }

    @Test func absentNullAndIllTypedFieldsAreAbsent() throws {
        let expression = try Expression("has(input.quantity)", in: Plant.environment)
        #expect(try expression.holds(Plant.bindings(input: ["quantity": 1])))
        #expect(try !expression.holds(Plant.bindings(input: ["quantity": nil])))
        #expect(try !expression.holds(Plant.bindings(input: ["quantity": "many"])))
        #expect(
            try !expression.holds(
                Plant.bindings(input: ["quantity": .number(JSONNumber(ExactDecimal(mantissa: 15, scale: 1)))])))
    }

    @Test func variablesWithoutValueAreErrors() throws {
        let expression = try Expression("input.quantity > 1 || now.getHours() > 1", in: Plant.environment)
        #expect(throws: EvaluationError.unknownName("input")) {
            try expression.holds(ExpressionBindings(for: Plant.environment))
        }
    }

    @Test func clausesAreNamedAndJudgedOneByOne() throws {
        let expression = try Expression(
            "input.quantity > 3 &&\n  (input.note == 'x' || input.quantity == 5) && input.weight > 1.0",
            in: Plant.environment)
        #expect(expression.joining == .all)
        #expect(
            expression.clauses.map(\.text) == [
                "input.quantity > 3", "(input.note == 'x' || input.quantity == 5)", "input.weight > 1.0",
            ])
        #expect(expression.clauses.map(\.line) == [1, 2, 2])
        #expect(
            expression.verdicts(Plant.bindings()) == [.held, .held, .error(.noSuchField("weight"))])
        #expect(
            expression.verdicts(Plant.bindings(input: ["quantity": 2])) == [
                .failed, .error(.noSuchField("note")), .error(.noSuchField("weight")),
            ])
        let any = try Expression("input.quantity > 9 || now.getHours() == 6", in: Plant.environment)
        #expect(any.joining == .any)
        #expect(any.verdicts(Plant.bindings()) == [.failed, .held])
        let one = try Expression("input.quantity > 9", in: Plant.environment)
        #expect(one.clauses.map(\.text) == ["input.quantity > 9"])
    }

    @Test func referencesAreListed() throws {
        let expression = try Expression(
            """
            has(input.note) && input.lines.exists(l, l.lot == input.labels['lot'] && l.quantity > 1.0)
              && principal.roles[0] in ['a'] && [1].all(x, x > 0) && input.extra.deep.er == 1
            """, in: Plant.environment)
        #expect(
            expression.references == [
                "input.extra.deep.er", "input.labels.lot", "input.lines", "input.lines[].lot", "input.lines[].quantity",
                "input.note", "principal.roles[]",
            ])
    }

    @Test func comparisonsWithConstantsAreListed() throws {
        let expression = try Expression(
            """
            10 >= input.quantity && input.note in ['a', 'b'] && size(input.lines) < 3 && input.note.startsWith('X')
              && now > timestamp('2026-01-01T00:00:00Z') && input.lines.all(l, l.quantity != 2.5)
              && now.getHours('+01:00') >= 6 && input.quantity < input.quantity + 1
            """, in: Plant.environment)
        let shown = expression.comparisons.map { comparison in
            let constants = comparison.constants.map(\.json.text).joined(separator: ",")
            return "\(comparison.function ?? "-") \(comparison.path) \(comparison.operation) \(constants)"
        }
        #expect(
            shown == [
                "- input.quantity <= 10", "- input.note in \"a\",\"b\"", "size input.lines < 3",
                "- input.note startsWith \"X\"",
                "- now > \"2026-01-01T00:00:00Z\"", "- input.lines[].quantity != 2.5", "getHours now >= 6",
            ])
    }

    @Test func namesResolveInTheContainerFromTheInsideOut() throws {
        let environment = ExpressionEnvironment(
            [.init("a.b.x", .int), .init("a.x", .int), .init("x", .int), .init("a.y.z", .int)], container: "a.b")
        let bindings = ExpressionBindings([.int(1), .int(2), .int(3), .int(4)])
        func value(_ text: String) throws -> String {
            try Expression(text, in: environment).evaluate(bindings).json.text
        }
        #expect(try value("x") == "1")
        #expect(try value(".x") == "3")
        #expect(try value("y.z") == "4")
        #expect(try value("[9].map(x, x + .x)") == "[12]")
    }

    @Test func jsonBecomesWhatTheTypeSays() throws {
        let json: JSONValue = [
            "quantity": 3, "weight": 1, "due": "2026-01-02T00:00:00Z", "extra": [1, "a", nil], "labels": ["a": "b"],
        ]
        let value = try #require(ExpressionValue(json, as: .record(Plant.input)))
        #expect(value.json == json)
        #expect(ExpressionValue("x", as: .int) == nil)
        #expect(ExpressionValue(-1, as: .uint) == nil)
        #expect(ExpressionValue(["a", 1], as: .list(.string)) == nil)
        #expect(ExpressionValue("nonsense", as: .timestamp) == nil)
        #expect(ExpressionValue("90s", as: .duration)?.json == "90s")
        #expect(ExpressionValue(5, as: .dyn)?.typeName == "double")
    }
}
