import Bytes
import Documents
import JSON

/// One walk over a value, collecting violations. The depth is that of the schema, which has no cycles.
struct SchemaCheck {
    private(set) var violations: [Violation] = []

    private mutating func report(_ pointer: String, _ detail: String) {
        if violations.count < Violation.countMax { violations.append(Violation(pointer: pointer, detail)) }
    }

    mutating func check(_ value: JSONValue, _ schema: Schema, at pointer: String) {
        let rules = schema.rules
        if let reference = rules.reference { check(value, reference.schema, at: pointer) }
        guard hasType(value, rules, at: pointer) else { return }
        if let constant = rules.constant, value != constant {
            report(pointer, "must be \(Self.shown(constant))")
        }
        if let choices = rules.choices, !choices.contains(value) { reportChoice(value, choices, at: pointer) }
        switch value {
        case .object(let members): check(members, rules, at: pointer)
        case .array(let elements): check(elements, rules, at: pointer)
        case .string(let text): check(text, rules, at: pointer)
        case .number(let number): check(number, rules, at: pointer)
        case .null, .bool: break
        }
        for other in rules.allOf { check(value, other, at: pointer) }
        checkAlternatives(value, rules.anyOf, exactlyOne: false, at: pointer)
        checkAlternatives(value, rules.oneOf, exactlyOne: true, at: pointer)
    }

    // MARK: Any type

    private mutating func hasType(_ value: JSONValue, _ rules: Schema.Rules, at pointer: String) -> Bool {
        if rules.types.isEmpty || rules.types.contains(where: { Self.isA(value, $0) }) { return true }
        let wanted = rules.types.map { Self.withArticle($0.rawValue) }.joined(separator: " or ")
        if case .number(let number) = value, rules.types.contains(.integer) {
            report(pointer, "must be \(wanted), not \(Suggestion.shortened(number.text))")
        } else {
            report(pointer, "must be \(wanted), not \(Self.withArticle(value.typeName))")
        }
        return false
    }

    static func isA(_ value: JSONValue, _ kind: Schema.Kind) -> Bool {
        switch (kind, value) {
        case (.null, .null), (.boolean, .bool), (.number, .number), (.string, .string), (.array, .array),
            (.object, .object):
            true
        case (.integer, .number(let number)): number.int != nil
        default: false
        }
    }

    private mutating func reportChoice(_ value: JSONValue, _ choices: [JSONValue], at pointer: String) {
        let list = choices.map { Self.shown($0) }.joined(separator: ", ")
        var suggestion = ""
        if let text = value.string { suggestion = Suggestion.clause(for: text, among: choices.compactMap(\.string)) }
        report(pointer, (choices.count == 1 ? "must be \(list)" : "must be one of \(list)") + suggestion)
    }

    private mutating func checkAlternatives(
        _ value: JSONValue, _ schemas: [Schema], exactlyOne: Bool, at pointer: String
    ) {
        if schemas.isEmpty { return }
        var matching: [Int] = []
        var nearest: [Violation]?
        for (index, schema) in schemas.enumerated() {
            var attempt = SchemaCheck()
            attempt.check(value, schema, at: pointer)
            if attempt.violations.isEmpty {
                matching.append(index)
            } else if attempt.violations.count < nearest?.count ?? Int.max {
                nearest = attempt.violations
            }
        }
        if matching.count == 1 || (matching.count > 1 && !exactlyOne) { return }
        let summaries = schemas.compactMap(\.summary)
        let list = summaries.count == schemas.count ? summaries.joined(separator: "; or ") : nil
        if matching.count > 1 {
            report(pointer, list.map { "must match one only: \($0)" } ?? "matches more than one of the alternatives")
        } else if let list {
            report(pointer, "must match: \(list)")
        } else {
            // What is nearest to right says most.
            for violation in nearest ?? [] where violations.count < Violation.countMax { violations.append(violation) }
        }
    }

    // MARK: Objects and arrays

    private mutating func check(_ members: JSONObject, _ rules: Schema.Rules, at pointer: String) {
        for name in rules.required where members[name] == nil {
            report(JSONPointer.appending(name, to: pointer), "is required")
        }
        for (key, value) in members.members {
            let place = JSONPointer.appending(key, to: pointer)
            if let property = rules.properties.first(where: { $0.name == key }) {
                check(value, property.schema, at: place)
                continue
            }
            switch rules.additional {
            case .allowed: break
            case .matching(let schema): check(value, schema, at: place)
            case .refused:
                let absent = rules.properties.map(\.name).filter { members[$0] == nil }
                let suggestion = Suggestion.clause(for: key, among: absent)
                let known = rules.properties.map { "'\($0.name)'" }.joined(separator: ", ")
                let all = known.isEmpty ? "; the object has no members" : "; known are \(known)"
                report(place, "is not known" + (suggestion.isEmpty ? all : suggestion))
            }
        }
    }

    private mutating func check(_ elements: [JSONValue], _ rules: Schema.Rules, at pointer: String) {
        if let least = rules.minItems, elements.count < least {
            report(pointer, "needs at least \(least) elements, not \(elements.count)")
        }
        if let most = rules.maxItems, elements.count > most {
            report(pointer, "may have at most \(most) elements, not \(elements.count)")
            return
        }
        if let items = rules.items {
            for (index, element) in elements.enumerated() {
                check(element, items, at: JSONPointer.appending(index, to: pointer))
                if violations.count >= Violation.countMax { return }
            }
        }
        if rules.uniqueItems, Set(elements).count < elements.count {
            report(pointer, "must not hold the same element twice")
        }
    }

    // MARK: Strings and numbers

    private mutating func check(_ text: String, _ rules: Schema.Rules, at pointer: String) {
        if rules.minLength != nil || rules.maxLength != nil {
            let length = text.unicodeScalars.count
            if let least = rules.minLength, length < least {
                let wanted = least == 1 ? "must not be empty" : "needs at least \(least) characters, not \(length)"
                report(pointer, wanted)
            }
            if let most = rules.maxLength, length > most {
                report(pointer, "may have at most \(most) characters, not \(length)")
                return
            }
        }
        if let pattern = rules.pattern, !pattern.matches(text) { report(pointer, "must match \(pattern.text)") }
        if let format = rules.format, !Self.has(format, text) { report(pointer, "must be \(Self.described(format))") }
    }

    private mutating func check(_ number: JSONNumber, _ rules: Schema.Rules, at pointer: String) {
        guard
            rules.minimum ?? rules.maximum ?? rules.exclusiveMinimum ?? rules.exclusiveMaximum ?? rules.multipleOf
                != nil || !rules.types.isEmpty
        else { return }
        guard let value = number.decimal else {
            report(pointer, "has more digits than the 18 that are exact here")
            return
        }
        if let bound = rules.minimum, value < bound { report(pointer, "must be at least \(bound), not \(value)") }
        if let bound = rules.maximum, bound < value { report(pointer, "must be at most \(bound), not \(value)") }
        if let bound = rules.exclusiveMinimum, value <= bound {
            report(pointer, "must be more than \(bound), not \(value)")
        }
        if let bound = rules.exclusiveMaximum, value >= bound {
            report(pointer, "must be less than \(bound), not \(value)")
        }
        if let unit = rules.multipleOf, !Self.isMultiple(value, of: unit) {
            report(pointer, "must be a multiple of \(unit), not \(value)")
        }
    }

    static func isMultiple(_ value: ExactDecimal, of unit: ExactDecimal) -> Bool {
        guard !unit.isZero else { return false }
        func scaled(_ number: ExactDecimal, to scale: UInt8) -> Int128 {
            var result = Int128(number.mantissa)
            for _ in number.scale..<scale { result *= 10 }
            return result
        }
        let scale = max(value.scale, unit.scale)
        return scaled(value, to: scale) % scaled(unit, to: scale) == 0
    }

    static func has(_ format: Schema.Format, _ text: String) -> Bool {
        switch format {
        // With an offset, as RFC 3339 §5.6 wants; the space in place of `T` that the RFC tolerates is refused.
        case .dateTime: text.utf8.dropFirst(10).first.map { $0 | 0x20 == 0x74 } == true && WallInstant(text) != nil
        case .date: text.utf8.count == 10 && WallInstant(text + "T00:00:00Z") != nil
        case .uuid:
            text.utf8.count == 36
                && text.utf8.enumerated().allSatisfy { index, byte in
                    [8, 13, 18, 23].contains(index)
                        ? byte == UInt8(ascii: "-") : byte &- 48 < 10 || (byte | 0x20) &- 97 < 6
                }
        }
    }

    // MARK: Words

    private static func described(_ format: Schema.Format) -> String {
        switch format {
        case .dateTime: "a date and time with offset, such as 2026-11-24T06:00:00Z"
        case .date: "a date such as 2026-11-24"
        case .uuid: "a UUID"
        }
    }

    static func withArticle(_ type: String) -> String {
        switch type {
        case "null": "null"
        case "integer", "array", "object": "an \(type)"
        default: "a \(type)"
        }
    }

    private static func shown(_ value: JSONValue) -> String {
        value.string.map { "'\($0)'" } ?? Suggestion.shortened(value.text)
    }
}
