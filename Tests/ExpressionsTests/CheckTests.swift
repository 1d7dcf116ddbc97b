import JSON
import Testing

@testable import Expressions

/// What is refused when an expression is compiled, and where the error stands.
@Suite struct CheckTests {
    private func errors(_ text: String, _ limits: ExpressionLimits = ExpressionLimits()) -> [String] {
        do throws(ExpressionErrors) {
            _ = try Expression(text, in: Plant.environment, result: .bool, limits: limits)
            return []
        } catch {
            return error.errors.map(\.description)
        }
    }

    static let mistakes: [(String, String)] = [
        ("input.quantty > 5", "1:7: unknown field 'quantty' of input; did you mean 'quantity'?"),
        ("principle.subject == ''", "1:1: unknown name 'principle'; did you mean 'principal'?"),
        ("input.lines.exists(l, l.lott == '')", "1:25: unknown field 'lott' of line; did you mean 'lot'?"),
        ("has(input.amount)", "1:11: unknown field 'amount' of input"),
        ("input.note.startWith('a')", "1:12: unknown function 'startWith'; did you mean 'startsWith'?"),
        ("input.quantity", "1:1: expected a bool, not a int"),
        ("input.quantity > '5'", "1:16: '>' does not take int and string"),
        (
            "input.quantity + 1.5 > 2.0",
            "1:16: '+' does not take int and double; convert one side with int(…) or double(…)"
        ),
        ("input.note == null", "1:12: '==' does not take string and null_type; whether a field is there says has(…)"),
        ("input.note && true", "1:1: '&&' needs a bool, not string"),
        ("!input.note", "1:1: '!' needs a bool, not string"),
        ("-input.note == ''", "1:1: '-' needs an int or double, not string"),
        ("input.note.foo == ''", "1:12: a value of type string has no fields"),
        ("input['note'] == ''", "1:6: input is no map; write .field"),
        ("input.lines['a'].lot == ''", "1:12: a list's index is an int, not string"),
        ("1 in principal.roles", "1:3: 'in' does not take int and list(string)"),
        ("input.note.all(x, true)", "1:12: 'all' needs a list or a map, not string"),
        ("input.lines.all(x, x.lot)", "1:20: 'all' needs a bool, not string"),
        ("size(input.quantity) > 1", "1:1: no function size(int)"),
        ("startsWith(input.note, 'a')", "1:1: no function startsWith(string, string); write x.startsWith(…)"),
        ("input.note.int() == 1", "1:12: no function string.int(); write int(x)"),
        ("true ? 1 : 'a'", "1:12: both sides of ':' must have one type, not int and string"),
        ("input.note.matches('(')", "1:20: the pattern is not valid: missing ')', at character 1"),
        (
            "now.getHours('Europe/Vienna') > 5",
            "1:14: unknown time zone 'Europe/Vienna': UTC or an offset as '+01:00' are known; names as Europe/Paris would make the answer depend on the machine"
        ),
        ("{1.5: 1} == {1.5: 1}", "1:2: a map's key is a bool, int, uint or string, not double"),
        // Grammar.
        ("", "1:1: expected an expression, not the end"),
        ("true &&", "1:8: expected an expression, not the end"),
        ("true & true", "1:6: unexpected '&'; write '&&'"),
        ("1 = 1", "1:3: unexpected '='; write '=='"),
        ("(true", "1:6: expected ')', not the end"),
        ("true true", "1:6: unexpected 'true'"),
        ("a.1 == 1", "1:2: unexpected '.1'"),
        ("'abc", "1:1: the text is not closed"),
        ("'a\nb'", "1:1: the text is not closed on its line; use three quotes for several lines"),
        ("'\\q' == ''", "1:2: unknown escape '\\q'; a backslash itself is '\\\\', or use r\"…\""),
        ("'\\uD800' == ''", "1:2: U+D800 is no character"),
        ("b'\\u0041' == b''", "1:3: bytes have no '\\u'; write '\\x' for each byte"),
        ("9223372036854775808 == 1", "1:1: the integer does not fit in 64 bits"),
        ("1e999 == 1.0", "1:1: the number does not fit a double"),
        ("12abc == 1", "1:1: a name can't begin with a digit"),
        ("if == 1", "1:1: 'if' is reserved and can be no name"),
        ("has(input)", "1:1: 'has' takes one field: has(a.b)"),
        ("input.lines.all(x.y, true)", "1:17: the first argument of 'all' is the name of a new variable"),
        ("Message{a: 1}.a == 1", "1:8: messages can't be made in this dialect; write a map: {'field': value}"),
        ("!-1 == 1", "1:2: expected an expression, not '-'"),
        ("true\n  && input.quantty > 5", "2:12: unknown field 'quantty' of input; did you mean 'quantity'?"),
        ("'é' == input.nota", "1:14: unknown field 'nota' of input; did you mean 'note'?"),
    ]

    @Test(arguments: mistakes)
    func mistakeIsNamedAtItsPlace(_ text: String, _ message: String) {
        #expect(errors(text).first == message, "\(text)")
    }

    @Test func allTypeErrorsAreFoundAtOnce() {
        #expect(errors("input.quantty > 5 && principal.role == 'x' && input.note > 1").count == 3)
    }

    static let right: [String] = [
        "input.quantity > 5 && 'operator' in principal.roles", "input.weight <= 100", "input.quantity == 1.0",
        "has(input.lines) && input.lines.all(l, l.quantity > 0.0 && l.lot.matches('^L[0-9]+$'))",
        "input.labels['color'] == 'red' || input.labels.color == 'blue'", "now.getDayOfWeek('+01:00') in [1, 2, 3]",
        "now - input.due < duration('24h')", "input.extra.anything.at.all == 5", "input.extra == null",
        "input.lines.map(l, l.product).exists(p, p.startsWith('A'))", "[].all(x, x > 1)",
        "principal.sites.exists(s, s in ['graz', 'linz'])", "type(input.quantity) == int",
        "input.lines.filter(l, l.quantity > 1.0).size() <= 3", "(input.quantity > 5 ? 'many' : 'few') == 'many'",
    ]

    @Test(arguments: right)
    func rightExpressionsCompile(_ text: String) {
        #expect(errors(text).isEmpty)
    }

    @Test func costIsBoundedAndKnown() throws {
        let flat = try Expression("input.quantity > 5", in: Plant.environment)
        #expect(flat.costMax < 10)
        let loop = try Expression("input.lines.all(l, l.quantity > 0.0)", in: Plant.environment)
        #expect(loop.costMax > 20 * 4 && loop.costMax < 20 * 10)
        let nested =
            "input.lines.all(a, input.lines.all(b, input.lines.all(c, input.lines.all(d, a.quantity > d.quantity))))"
        #expect(errors(nested).first?.hasPrefix("1:1: the expression can cost up to ") == true)
        var limits = ExpressionLimits()
        limits.costMax = 10_000_000
        #expect(errors(nested, limits).isEmpty)
    }

    @Test func limitsAreKept() {
        var limits = ExpressionLimits()
        limits.sourceBytesMax = 20
        #expect(errors("true && true && true && true", limits) == ["1:1: the expression is longer than 20 bytes"])
        limits = ExpressionLimits()
        limits.tokensMax = 4
        #expect(errors("true && true && true", limits) == ["1:17: the expression has more than 4 tokens"])
        let deep = String(repeating: "(", count: 100) + "true" + String(repeating: ")", count: 100)
        #expect(errors(deep) == ["1:97: the expression nests deeper than 96 levels"])
        #expect(errors(String(repeating: "!", count: 100) + "true").first?.contains("deeper than 96 levels") == true)
        #expect(errors("1" + String(repeating: " + 1", count: 100) + " > 1").first?.contains("deeper than 96") == true)
        // Conjunctions are flat.
        #expect(errors("true" + String(repeating: " && true", count: 1_000)).isEmpty)
    }

    @Test func valuesBeyondTheBoundsStopAtTheBound() throws {
        let expression = try Expression("input.lines.all(l, l.quantity > 0.0)", in: Plant.environment)
        let line: JSONValue = ["product": "a", "quantity": 1]
        let many = Plant.bindings(input: ["lines": .array(Array(repeating: line, count: 1_000))])
        #expect(throws: EvaluationError.costExceeded(expression.costMax)) { try expression.holds(many) }
        #expect(expression.measure(many).cost <= expression.costMax + 1)
    }
}
