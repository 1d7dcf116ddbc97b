import Bytes
import JSON

/// A search condition in Odoo's prefix notation: `["|", ["state", "=", "done"], ["product_id.name", "ilike", "bolt"]]`.
indirect enum Domain: Sendable {
    case all
    case none
    case leaf(path: [String], Operator, JSONValue)
    case and(Domain, Domain)
    case or(Domain, Domain)
    case not(Domain)

    enum Operator: String, Sendable {
        case equal = "="
        case notEqual = "!="
        case notEqualOld = "<>"
        case equalOrUnset = "=?"
        case less = "<"
        case greater = ">"
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case within = "in"
        case notWithin = "not in"
        case like
        case ilike
        case notLike = "not like"
        case notIlike = "not ilike"
        case equalLike = "=like"
        case equalIlike = "=ilike"
        case childOf = "child_of"
        case parentOf = "parent_of"
    }

    /// Deeper nesting is refused, so that no domain can exhaust the stack.
    private static let termsMax = 2_000

    init(_ json: JSONValue?, on model: String, in engine: Engine) throws(Raised) {
        guard let json, json != .bool(false), json != .null else {
            self = .all
            return
        }
        guard let terms = json.array, terms.count <= Self.termsMax else {
            throw .value("Domain() invalid item in domain: \(pythonRepr(json))")
        }
        var rest = terms[...]
        var result = Domain.all
        var isFirst = true
        while !rest.isEmpty {
            let term = try Self.take(&rest, on: model, in: engine)
            result = isFirst ? term : .and(result, term)
            isFirst = false
        }
        self = result
    }

    private static func take(
        _ rest: inout ArraySlice<JSONValue>, on model: String, in engine: Engine
    ) throws(Raised) -> Domain {
        guard let term = rest.popFirst() else { throw .value("Domain() domain is malformed") }
        switch term {
        case "&":
            let left = try take(&rest, on: model, in: engine)
            return .and(left, try take(&rest, on: model, in: engine))
        case "|":
            let left = try take(&rest, on: model, in: engine)
            return .or(left, try take(&rest, on: model, in: engine))
        case "!": return .not(try take(&rest, on: model, in: engine))
        case .array(let parts) where parts.count == 3:
            return try leaf(parts, on: model, in: engine)
        default:
            throw .value("Domain() invalid item in domain: \(pythonRepr(term))")
        }
    }

    private static func leaf(_ parts: [JSONValue], on model: String, in engine: Engine) throws(Raised) -> Domain {
        if let left = parts[0].int, let right = parts[2].int, parts[1] == "=" { return left == right ? .all : .none }
        let condition = pythonTuple(parts)
        let is19 = engine.version.is19
        guard let name = parts[0].string, let symbol = parts[1].string, let op = Operator(rawValue: symbol) else {
            throw .value(is19 ? "Invalid operator in condition \(condition)" : "Invalid leaf \(condition)")
        }
        let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        var current = model
        for (i, step) in path.enumerated() {
            guard let field = engine.schema(current)?.fields[step] else {
                throw .value("Invalid field \(current).\(step) in \(is19 ? "condition" : "leaf") \(condition)")
            }
            if i + 1 < path.count {
                guard let target = field.kind.target else {
                    throw .value("Invalid field \(current).\(step) in \(is19 ? "condition" : "leaf") \(condition)")
                }
                current = target
            }
        }
        return .leaf(path: path, op, parts[2])
    }
}

// MARK: - Does a record match?

extension Domain {
    func matches(_ id: Int, of model: String, in engine: Engine) -> Bool {
        switch self {
        case .all: true
        case .none: false
        case .and(let a, let b): a.matches(id, of: model, in: engine) && b.matches(id, of: model, in: engine)
        case .or(let a, let b): a.matches(id, of: model, in: engine) || b.matches(id, of: model, in: engine)
        case .not(let a): !a.matches(id, of: model, in: engine)
        case .leaf(let path, let op, let value):
            Self.leafMatches(path[...], op, value, [id], of: model, in: engine)
        }
    }

    private static func leafMatches(
        _ path: ArraySlice<String>, _ op: Operator, _ value: JSONValue, _ ids: [Int], of model: String,
        in engine: Engine
    ) -> Bool {
        guard let name = path.first, let field = engine.schema(model)?.fields[name] else { return false }
        if path.count > 1, let target = field.kind.target {
            for id in ids {
                let content = engine.get(model, id, name)
                let next = content.link.map { [$0] } ?? content.links
                if leafMatches(path.dropFirst(), op, value, next, of: target, in: engine) { return true }
            }
            return false
        }
        return ids.contains { compare(engine.get(model, $0, name), field, op, value, of: model, in: engine) }
    }

    private static func compare(
        _ content: Value, _ field: Field, _ op: Operator, _ value: JSONValue, of model: String, in engine: Engine
    ) -> Bool {
        switch op {
        case .equal: return equals(content, field, value, engine)
        case .notEqual, .notEqualOld: return !equals(content, field, value, engine)
        case .equalOrUnset: return !Engine.truth(value) || equals(content, field, value, engine)
        case .within: return among(content, field, value, engine)
        case .notWithin: return !among(content, field, value, engine)
        case .less, .greater, .lessOrEqual, .greaterOrEqual: return ordered(content, op, value)
        case .like: return like(content, field, value, engine, fold: false, whole: false)
        case .ilike: return like(content, field, value, engine, fold: true, whole: false)
        case .notLike: return !like(content, field, value, engine, fold: false, whole: false)
        case .notIlike: return !like(content, field, value, engine, fold: true, whole: false)
        case .equalLike: return like(content, field, value, engine, fold: false, whole: true)
        case .equalIlike: return like(content, field, value, engine, fold: true, whole: true)
        case .childOf, .parentOf:
            let roots = value.array?.compactMap(\.int) ?? value.int.map { [$0] } ?? []
            let target = field.kind.target ?? model
            let own = content.link.map { [$0] } ?? (field.name == "id" ? [content.int] : content.links)
            return own.contains { id in
                roots.contains { root in
                    op == .childOf
                        ? engine.isWithin(target, id, root) : engine.isWithin(target, root, id)
                }
            }
        }
    }

    private static func among(_ content: Value, _ field: Field, _ value: JSONValue, _ engine: Engine) -> Bool {
        guard let options = value.array else { return equals(content, field, value, engine) }
        return options.contains { equals(content, field, $0, engine) }
    }

    private static func equals(_ content: Value, _ field: Field, _ value: JSONValue, _ engine: Engine) -> Bool {
        switch content {
        case .empty: return !Engine.truth(value)
        case .bool(let bool): return bool == Engine.truth(value)
        case .int(let int): return value.int == int || (int == 0 && value.bool == false)
        case .number(let number): return value.decimal == number || (number.isZero && value.bool == false)
        case .text(let text):
            guard let wanted = value.string else { return false }
            if case .datetime = field.kind, wanted.utf8.count == 10 { return text == wanted + " 00:00:00" }
            return text == wanted
        case .link(let id):
            if let wanted = value.string, let target = field.kind.target {
                return engine.displayName(target, id) == wanted
            }
            return value.int == id
        case .links(let ids):
            if let wanted = value.int { return ids.contains(wanted) }
            return ids.isEmpty && !Engine.truth(value)
        }
    }

    private static func ordered(_ content: Value, _ op: Operator, _ value: JSONValue) -> Bool {
        func holds<T: Comparable>(_ a: T, _ b: T) -> Bool {
            switch op {
            case .less: a < b
            case .greater: a > b
            case .lessOrEqual: a <= b
            default: a >= b
            }
        }
        switch content {
        case .int, .number:
            guard let wanted = value.decimal else { return false }
            return holds(content.number, wanted)
        case .text(let text):
            guard var wanted = value.string else { return false }
            // A bare date compared with a time is its midnight.
            if wanted.utf8.count == 10, text.utf8.count == 19 { wanted += " 00:00:00" }
            return holds(text, wanted)
        case .link(let id):
            guard let wanted = value.int else { return false }
            return holds(id, wanted)
        case .empty, .bool, .links: return false
        }
    }

    private static func like(
        _ content: Value, _ field: Field, _ value: JSONValue, _ engine: Engine, fold: Bool, whole: Bool
    ) -> Bool {
        guard let raw = value.string else { return false }
        var subject: String
        if let id = content.link, let target = field.kind.target {
            subject = engine.displayName(target, id)
        } else {
            subject = content.text ?? ""
        }
        var pattern = raw
        if fold {
            subject = subject.lowercased()
            pattern = pattern.lowercased()
        }
        if !whole { pattern = "%" + pattern + "%" }
        return LikePattern.matches(Array(subject), Array(pattern))
    }
}

/// SQL's LIKE: `%` for anything, `_` for one character, `\` before a literal one. Linear, never exponential.
enum LikePattern {
    static func matches(_ text: [Character], _ pattern: [Character]) -> Bool {
        var t = 0
        var p = 0
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == "%" {
                star = (p, t)
                p += 1
                continue
            }
            if p < pattern.count {
                let escaped = pattern[p] == "\\" && p + 1 < pattern.count
                let wanted = escaped ? pattern[p + 1] : pattern[p]
                if (!escaped && wanted == "_") || wanted == text[t] {
                    p += escaped ? 2 : 1
                    t += 1
                    continue
                }
            }
            guard let last = star else { return false }
            star = (last.pattern, last.text + 1)
            p = last.pattern + 1
            t = last.text + 1
        }
        while p < pattern.count, pattern[p] == "%" { p += 1 }
        return p == pattern.count
    }
}
