// Any text as an expression, types checked and not: it compiles or is refused with a place, and what compiles ends
// within its cost bound for values within the environment's bounds.
#if !FUZZ
    import Bytes
    import Expressions
    import JSON
#endif

private let line = RecordType(name: "line", fields: [.init("lot", .string), .init("quantity", .double)])
private let input = RecordType(
    name: "input",
    fields: [
        .init("quantity", .int), .init("note", .string), .init("lines", .list(.record(line)), countMax: 4),
        .init("labels", .map(.string, .string)), .init("extra", .dyn), .init("due", .timestamp),
    ])
private let bounds = { () -> ExpressionBounds in
    var bounds = ExpressionBounds()
    bounds.textBytesMax = 64
    bounds.countMax = 8
    bounds.dynWeightMax = 32
    return bounds
}()
private let environments = [true, false].map { isChecked in
    ExpressionEnvironment(
        [.init("input", .record(input)), .init("roles", .list(.string)), .init("now", .timestamp), .init("d", .dyn)],
        bounds: bounds, isChecked: isChecked)
}
private let json: JSONValue = [
    "quantity": 7, "note": "a note of some length, with a number 42 in it",
    "lines": [["lot": "L1", "quantity": 2], ["lot": "L2", "quantity": 3]], "labels": ["color": "red", "size": "xl"],
    "extra": ["a": [1, "b", nil], "c": true], "due": "2026-11-25T06:30:00Z",
]
private let bindings = ExpressionBindings([
    ExpressionValue(json, as: .record(input)), ExpressionValue(["operator", "clerk"], as: .list(.string)),
    ExpressionValue("2026-11-25T05:00:00Z", as: .timestamp), ExpressionValue(["a": 1, "b": ["x", 2]], as: .dyn),
])

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzExpressions(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    var limits = ExpressionLimits()
    limits.costMax = 20_000
    for environment in environments {
        let expression: Expression
        do throws(ExpressionErrors) {
            expression = try Expression(text, in: environment, limits: limits)
        } catch {
            for error in error.errors where error.line < 1 || error.column < 1 || error.message.isEmpty {
                fatalError("an error without place or message")
            }
            continue
        }
        let (result, cost) = expression.measure(bindings)
        if cost > expression.costMax { fatalError("costs \(cost), more than \(expression.costMax)") }
        if case .success(let value) = result, environment.isChecked, !isOf(value, expression.type) {
            fatalError("a \(value.typeName) where the checker said \(expression.type.name)")
        }
        _ = expression.verdicts(bindings)
    }
    return 0
}

/// Whether the checker's word holds.
private func isOf(_ value: ExpressionValue, _ type: ExpressionType) -> Bool {
    switch (value, type) {
    case (_, .dyn): true
    case (.list(let elements), .list(let element)): elements.allSatisfy { isOf($0, element) }
    case (.map(let map), .map(let key, let value)):
        map.entries.allSatisfy { isOf($0.key, key) && isOf($0.value, value) }
    case (.record, .record): true
    default: value.typeName == type.name
    }
}
