@testable import Expressions

/// One case of a conformance file.
struct ConformanceCase {
    enum Outcome {
        case passed
        case leftOut(LeftOut)
        case failed(String)
    }

    /// What the dialect has nothing for.
    struct Unsupported: Error { let reason: LeftOut }

    let test: TextProto
    let file: String

    init(_ test: TextProto, file: String) {
        self.test = test
        self.file = file
    }

    var text: String { test.text("expr") ?? "" }

    /// Told from the case's own text, so that nothing is left out because it fails.
    private var leftOut: LeftOut? {
        if file.hasSuffix("_ext.textproto") { return file.hasPrefix("proto2") ? .messages : .extensions }
        if file == "macros2.textproto" { return .twoVariables }
        if file == "optionals.textproto" || text.contains("optional") { return .optionals }
        // `Name{…}` makes a message; the rest are names of the cases' own messages and enums.
        if text.contains(#/[A-Z]\w*\s*\{/#) { return .messages }
        let messages = [
            "TestAllTypes", "GlobalEnum", "google.protobuf.Any", "google.protobuf.Struct", "google.protobuf.Value",
            "google.protobuf.ListValue", "NullValue", "proto2.", "proto3.",
        ]
        if messages.contains(where: text.contains) || text.contains(#/google\.protobuf\.\w+Value/#) { return .messages }
        // A name between quotes inside a call of a timestamp's accessor.
        for zone in ["Australia/", "US/", "America/", "Asia/", "Europe/"] where text.contains("('" + zone) {
            return .timeZones
        }
        return nil
    }

    func outcome() -> Outcome {
        if let leftOut { return .leftOut(leftOut) }
        do {
            return try run()
        } catch let unsupported as Unsupported {
            return .leftOut(unsupported.reason)
        } catch {
            return .failed("\(text): \(error)")
        }
    }

    private func run() throws -> Outcome {
        var variables: [ExpressionEnvironment.Variable] = []
        var functions = false
        for declaration in test.messages("type_env") {
            if declaration.has("function") { functions = true }
            guard let type = declaration["ident"]?["type"] else { continue }
            variables.append(.init(declaration.text("name") ?? "", try Self.type(type)))
        }
        if functions { throw Unsupported(reason: .extensions) }
        var values: [String: ExpressionValue] = [:]
        for binding in test.messages("bindings") {
            let name = binding.text("key") ?? ""
            guard let value = binding["value"]?["value"] else { continue }
            values[name] = try Self.value(value)
            if !variables.contains(where: { $0.name == name }) { variables.append(.init(name, .dyn)) }
        }
        let environment = ExpressionEnvironment(
            variables, container: test.text("container") ?? "", isChecked: test.text("disable_check") != "true")
        let expectsError = test.has("eval_error") || test.has("any_eval_errors")
        let expression: Expression
        do {
            expression = try Expression(text, in: environment)
        } catch {
            return expectsError ? .passed : .failed("\(text): refused: \(error)")
        }
        if let deduced = test["typed_result"]?["deduced_type"], expression.type != (try Self.type(deduced)) {
            return .failed("\(text): type \(expression.type.name)")
        }
        if test.text("check_only") == "true" { return .passed }
        let result = expression.measure(ExpressionBindings(variables.map { values[$0.name] })).result
        switch result {
        case .failure(let error): return expectsError ? .passed : .failed("\(text): \(error)")
        case .success(let value):
            if expectsError { return .failed("\(text): \(value) where an error was expected") }
            let expected = try (test["value"] ?? test["typed_result"]?["result"]).map(Self.value) ?? .bool(true)
            return Self.same(value, expected) ? .passed : .failed("\(text): \(value), expected \(expected)")
        }
    }

    // MARK: Types and values of the cases

    private static func type(_ proto: TextProto) throws -> ExpressionType {
        guard let (name, value) = proto.fields.first else { return .dyn }
        switch (name, value) {
        case ("primitive", .scalar):
            switch proto.text(name) {
            case "BOOL": return .bool
            case "INT64": return .int
            case "UINT64": return .uint
            case "DOUBLE": return .double
            case "STRING": return .string
            case "BYTES": return .bytes
            default: throw Unsupported(reason: .messages)
            }
        case ("null", _): return .null
        case ("dyn", _): return .dyn
        case ("type", _): return .type
        case ("list_type", .message(let list)): return .list(try list["elem_type"].map(type) ?? .dyn)
        case ("map_type", .message(let map)):
            return .map(try map["key_type"].map(type) ?? .dyn, try map["value_type"].map(type) ?? .dyn)
        case ("well_known", _):
            switch proto.text(name) {
            case "TIMESTAMP": return .timestamp
            case "DURATION": return .duration
            default: throw Unsupported(reason: .messages)
            }
        default: throw Unsupported(reason: .messages)
        }
    }

    private static func value(_ proto: TextProto) throws -> ExpressionValue {
        guard let (name, field) = proto.fields.first else { throw Unsupported(reason: .messages) }
        let text = proto.text(name) ?? ""
        switch (name, field) {
        case ("null_value", _): return .null
        case ("bool_value", _): return .bool(text == "true")
        case ("int64_value", _): return .int(integer(text).flatMap { Int64(exactly: $0) } ?? 0)
        case ("uint64_value", _): return .uint(integer(text).flatMap { UInt64(exactly: $0) } ?? 0)
        case ("double_value", _): return .double(Double(text) ?? .nan)
        case ("string_value", _): return .string(text)
        case ("bytes_value", _): return .bytes(proto.bytes(name) ?? [])
        case ("type_value", _):
            let known = TypeName.all.contains(text)
            if !known { throw Unsupported(reason: .messages) }
            return .type(text)
        case ("list_value", .message(let list)): return .list(try list.messages("values").map(value))
        case ("map_value", .message(let map)):
            var out = ExpressionMap()
            for entry in map.messages("entries") {
                if let key = entry["key"], let content = entry["value"] {
                    _ = out.insert(try value(key), try value(content))
                }
            }
            return .map(out)
        case ("object_value", .message(let object)):
            guard
                case ("[type.googleapis.com/google.protobuf.Duration]", .message(let duration))? = object.fields.first
                    .map({ ($0.name, $0.value) })
            else {
                if case ("[type.googleapis.com/google.protobuf.Timestamp]", .message(let time))? = object.fields.first
                    .map({ ($0.name, $0.value) }),
                    let result = Timestamp(
                        seconds: Int64(time.text("seconds") ?? "0") ?? 0,
                        nanoseconds: Int32(time.text("nanos") ?? "0") ?? 0)
                {
                    return .timestamp(result)
                }
                throw Unsupported(reason: .messages)
            }
            return .duration(
                (Int64(duration.text("seconds") ?? "0") ?? 0) * 1_000_000_000
                    + (Int64(duration.text("nanos") ?? "0") ?? 0))
        default: throw Unsupported(reason: .messages)
        }
    }

    private static func integer(_ text: String) -> Int128? {
        text.hasPrefix("0x") ? Int128(text.dropFirst(2), radix: 16) : Int128(text)
    }

    /// Equal and of the same type, all the way down.
    private static func same(_ a: ExpressionValue, _ b: ExpressionValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.int(let x), .int(let y)): x == y
        case (.uint(let x), .uint(let y)): x == y
        case (.double(let x), .double(let y)): x == y || (x.isNaN && y.isNaN)
        case (.string(let x), .string(let y)): Text.equal(x, y)
        case (.bytes(let x), .bytes(let y)): x == y
        case (.timestamp(let x), .timestamp(let y)): x == y
        case (.duration(let x), .duration(let y)): x == y
        case (.type(let x), .type(let y)): x == y
        case (.list(let x), .list(let y)): x.count == y.count && zip(x, y).allSatisfy(same)
        case (.map(let x), .map(let y)):
            x.count == y.count
                && x.entries.allSatisfy { entry in
                    ExpressionKey(entry.key).flatMap { y[$0] }.map { same(entry.value, $0) } ?? false
                }
        default: false
        }
    }
}
