import JSON

/// Values from JSON and to JSON.
extension ExpressionValue {
    /// JSON as the type wants it; nil when it can't be that type, and for `null` where a value is expected.
    ///
    /// Numbers become `int` or `uint` where the type says so and they are whole; as `dyn` all are `double`, as CEL has
    /// it for JSON. A time is RFC 3339, a duration `90s`. A record takes the members that are its
    /// fields; members that are missing, null or of another type are absent.
    package init?(_ json: JSONValue, as type: ExpressionType) {
        switch (type, json) {
        case (.dyn, _): self = Self.dynamic(json)
        case (.null, .null): self = .null
        case (.bool, .bool(let flag)): self = .bool(flag)
        case (.int, .number(let number)):
            guard let value = number.int else { return nil }
            self = .int(Int64(value))
        case (.uint, .number(let number)):
            guard let value = number.int.flatMap({ UInt64(exactly: $0) }) else { return nil }
            self = .uint(value)
        case (.double, .number(let number)): self = .double(number.double)
        case (.string, .string(let text)): self = .string(text)
        case (.timestamp, .string(let text)):
            guard let value = Timestamp(text) else { return nil }
            self = .timestamp(value)
        case (.duration, .string(let text)):
            guard let value = try? DurationText.parse(text) else { return nil }
            self = .duration(value)
        case (.list(let element), .array(let elements)):
            var values: [ExpressionValue] = []
            values.reserveCapacity(elements.count)
            for json in elements {
                guard let value = ExpressionValue(json, as: element) else { return nil }
                values.append(value)
            }
            self = .list(values)
        case (.map(let key, let value), .object(let object)) where ExpressionType.string.fits(key):
            var map = ExpressionMap()
            for (name, json) in object.members {
                guard let member = ExpressionValue(json, as: value), map.insert(.string(name), member) else {
                    return nil
                }
            }
            self = .map(map)
        case (.record(let record), .object(let object)):
            self = .record(
                ExpressionRecord(
                    record,
                    record.fields.map { field in
                        object[field.name].flatMap { json in
                            json.isNull && field.type != .null && field.type != .dyn
                                ? nil : ExpressionValue(json, as: field.type)
                        }
                    }))
        default: return nil
        }
    }

    private static func dynamic(_ json: JSONValue) -> ExpressionValue {
        switch json {
        case .null: return .null
        case .bool(let flag): return .bool(flag)
        case .number(let number): return .double(number.double)
        case .string(let text): return .string(text)
        case .array(let elements): return .list(elements.map(dynamic))
        case .object(let object):
            var map = ExpressionMap()
            // Names are each there once already.
            for (name, value) in object.members { _ = map.insert(.string(name), dynamic(value)) }
            return .map(map)
        }
    }

    /// For explanations and test reports: times and durations as text, bytes as hexadecimal digits.
    package var json: JSONValue {
        switch self {
        case .null: return .null
        case .bool(let flag): return .bool(flag)
        case .int(let number): return JSONValue(Int(number))
        case .uint(let number): return JSONNumber(String(number)).map(JSONValue.number) ?? .null
        case .double(let number):
            return JSONNumber(Conversion.shown(.double(number))).map(JSONValue.number)
                ?? .string(Conversion.shown(.double(number)))
        case .string(let text), .type(let text): return .string(text)
        case .bytes(let bytes):
            return .string(bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
        case .timestamp(let timestamp): return .string(timestamp.text)
        case .duration(let nanoseconds): return .string(DurationText.text(nanoseconds))
        case .list(let elements): return .array(elements.map(\.json))
        case .map(let map):
            return .object(JSONObject(map.entries.map { (Self.name($0.key), $0.value.json) }))
        case .record(let record):
            return .object(
                JSONObject(
                    record.type.fields.enumerated().compactMap { slot, field in
                        record[slot].map { (field.name, $0.json) }
                    }))
        }
    }

    private static func name(_ key: ExpressionValue) -> String {
        guard case .string(let text) = key else { return Conversion.shown(key) }
        return text
    }
}
