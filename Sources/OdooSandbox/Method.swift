import JSON

/// A public method of a model: what it takes, and what runs.
struct Method: Sendable {
    /// What a method returns. Nothing is not null: on `/jsonrpc` the answer then has no `result` (recording 039).
    enum Answer: Sendable {
        case value(JSONValue)
        case nothing
    }

    struct Parameter: Sendable {
        let name: String
        let isRequired: Bool
    }

    typealias Body = @Sendable (inout Engine, [Int], Arguments) throws(Raised) -> Answer

    /// On records, whose ids come first; otherwise on the model.
    let isOnRecords: Bool
    let operation: Engine.Operation
    let parameters: [Parameter]
    /// `message_post(**kwargs)` and the like.
    let takesAnything: Bool
    let body: Body

    /// Parameters in their order; a name that ends in `?` may be left out.
    init(
        onRecords isOnRecords: Bool, _ operation: Engine.Operation, _ parameters: [String] = [],
        takesAnything: Bool = false, _ body: @escaping Body
    ) {
        self.isOnRecords = isOnRecords
        self.operation = operation
        self.parameters = parameters.map {
            $0.hasSuffix("?")
                ? Parameter(name: String($0.dropLast()), isRequired: false) : Parameter(name: $0, isRequired: true)
        }
        self.takesAnything = takesAnything
        self.body = body
    }

    /// A button: ids in, true out.
    static func button(_ body: @escaping @Sendable (inout Engine, [Int]) throws(Raised) -> Void) -> Method {
        Method(onRecords: true, .write) { engine, ids, _ throws(Raised) in
            try body(&engine, ids)
            return .value(true)
        }
    }

    /// A button that may answer with a question.
    static func asking(_ body: @escaping @Sendable (inout Engine, [Int]) throws(Raised) -> JSONValue) -> Method {
        Method(onRecords: true, .write) { engine, ids, _ throws(Raised) in .value(try body(&engine, ids)) }
    }
}

/// Arguments by the names of their parameters.
struct Arguments: Sendable {
    let model: String
    let style: SandboxCall.Style
    var values: [String: JSONValue] = [:]

    init(of call: SandboxCall) {
        model = call.model
        style = call.style
    }

    subscript(name: String) -> JSONValue? {
        guard let value = values[name], value != .null else { return nil }
        return value
    }

    func int(_ name: String) -> Int? { self[name]?.int }
    func string(_ name: String) -> String? { self[name]?.string }

    /// A list of names; one name stands for a list of one.
    func names(_ name: String) throws(Raised) -> [String] {
        guard let value = self[name], value != .bool(false) else { return [] }
        if let one = value.string { return [one] }
        guard let items = value.array else { throw .type("'\(value.typeName)' object is not iterable") }
        var names: [String] = []
        for item in items {
            guard let text = item.string else { throw .value("Invalid field \(pythonRepr(item))") }
            names.append(text)
        }
        return names
    }

    func object(_ name: String) throws(Raised) -> JSONObject {
        guard let object = self[name]?.object else {
            throw Raised(
                "builtins.AttributeError", "'\(self[name]?.typeName ?? "NoneType")' object has no attribute 'items'",
                status: 500)
        }
        return object
    }
}

/// A call as a protocol understood it, before the method is looked up.
struct SandboxCall: Sendable {
    enum Style: Sendable {
        /// `args` and `kwargs`, as on `/jsonrpc`.
        case positional
        /// Everything by name, as on `/json/2`.
        case named
    }

    var model: String
    var method: String
    var style: Style
    var positional: [JSONValue] = []
    var named = JSONObject()

    /// `mrp.production.button_mark_done`, as faults and counters say it.
    var key: String { model + "." + method }
}

extension Engine {
    /// Finds the method, binds the arguments, checks the rights, and runs it. Inside a transaction.
    mutating func run(_ call: SandboxCall) throws(Raised) -> Method.Answer {
        let isNamed = call.style == .named
        guard let schema = schema(call.model) else {
            throw isNamed
                ? .http(404, "the model '\(call.model)' does not exist") : .user("Object \(call.model) doesn't exist")
        }
        if isPrivate(call.method) {
            let name = version.is19 ? "'\(call.key)'" : call.method
            throw .access("Private methods (such as \(name)) cannot be called remotely.")
        }
        guard let method = Methods.find(call.model, call.method, version) else {
            if isNamed { throw .http(404, "The method '\(call.key)' does not exist") }
            let text =
                version.is19
                ? "The method '\(call.key)' does not exist"
                : "The method '\(call.method)' does not exist on the model '\(call.model)'"
            throw Raised("builtins.AttributeError", text, status: 404)
        }
        let (ids, arguments) =
            isNamed ? try bindNamed(call, method) : try bindPositional(call, method, schema)
        let companies = context["allowed_company_ids"]?.array ?? []
        if companies.contains(where: { !database.contains(Model.company, $0.int ?? 0) }) {
            throw .access("Access to unauthorized or invalid companies.")
        }
        try checkAccess(method.operation, call.model)
        return try method.body(&self, ids, arguments)
    }

    private func isPrivate(_ method: String) -> Bool {
        if method.hasPrefix("_") { return true }
        // Marked `@api.private` on 19 (recordings 327, 718).
        let marked: Set<String> = [
            "sudo", "exists", "browse", "with_context", "with_user", "with_company", "with_env", "flush_recordset",
            "invalidate_recordset", "mapped", "filtered", "sorted", "ensure_one", "init",
        ]
        return version.is19 && marked.contains(method)
    }

    private mutating func bindPositional(
        _ call: SandboxCall, _ method: Method, _ schema: Schema
    ) throws(Raised) -> ([Int], Arguments) {
        var rest = call.positional[...]
        var ids: [Int] = []
        if method.isOnRecords {
            guard let first = rest.popFirst() else {
                throw .index(version.is19 ? "list index out of range" : "tuple index out of range")
            }
            ids = first.int.map { [$0] } ?? first.array?.compactMap(\.int) ?? []
        }
        let function = "\(schema.className).\(call.method)()"
        var arguments = Arguments(of: call)
        for parameter in method.parameters {
            guard let value = rest.popFirst() else { break }
            arguments.values[parameter.name] = value
        }
        if !rest.isEmpty {
            let most = method.parameters.count + 1
            let given = call.positional.count + (method.isOnRecords ? 0 : 1)
            throw .type("\(function) takes \(most) positional arguments but \(given) were given")
        }
        for (name, value) in call.named.members where name != "context" {
            guard method.takesAnything || method.parameters.contains(where: { $0.name == name }) else {
                throw .type("\(function) got an unexpected keyword argument '\(name)'")
            }
            guard arguments.values[name] == nil else {
                throw .type("\(function) got multiple values for argument '\(name)'")
            }
            arguments.values[name] = value
        }
        let missing = method.parameters.filter { $0.isRequired && arguments.values[$0.name] == nil }
        if let first = missing.first {
            throw .type(
                missing.count == 1
                    ? "\(function) missing 1 required positional argument: '\(first.name)'"
                    : "\(function) missing \(missing.count) required positional arguments: "
                        + missing.map { "'\($0.name)'" }.joined(separator: " and "))
        }
        return (ids, arguments)
    }

    private func bindNamed(_ call: SandboxCall, _ method: Method) throws(Raised) -> ([Int], Arguments) {
        var arguments = Arguments(of: call)
        var ids: [Int] = []
        for (name, value) in call.named.members where name != "context" {
            if name == "ids" {
                let given = value.int.map { [$0] } ?? value.array?.compactMap(\.int) ?? []
                if !method.isOnRecords, !given.isEmpty {
                    throw .http(422, "cannot call \(call.key) with ids")
                }
                ids = given
                continue
            }
            guard method.takesAnything || method.parameters.contains(where: { $0.name == name }) else {
                throw .http(422, "got an unexpected keyword argument '\(name)'")
            }
            arguments.values[name] = value
        }
        for parameter in method.parameters where parameter.isRequired && arguments.values[parameter.name] == nil {
            throw .http(422, "missing a required argument: '\(parameter.name)'")
        }
        return (ids, arguments)
    }
}
