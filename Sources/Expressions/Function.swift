/// The functions of the standard environment. (cel-spec, langdef.md, "Standard Definitions")
enum Function: String, CaseIterable, Sendable {
    case size, contains, startsWith, endsWith, matches
    case bool, bytes, double, duration, dyn, int, string, timestamp, type, uint
    case getDate, getDayOfMonth, getDayOfWeek, getDayOfYear, getFullYear, getHours, getMilliseconds, getMinutes
    case getMonth, getSeconds

    enum Style { case global, receiver, both }

    var style: Style {
        switch self {
        case .size, .matches: .both
        case .contains, .startsWith, .endsWith, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear,
            .getFullYear, .getHours, .getMilliseconds, .getMinutes, .getMonth, .getSeconds:
            .receiver
        case .bool, .bytes, .double, .duration, .dyn, .int, .string, .timestamp, .type, .uint: .global
        }
    }

    /// What the function gives for arguments of these types; nil when it takes no such. A receiver comes first.
    func result(_ arguments: [ExpressionType]) -> ExpressionType? {
        guard let first = arguments.first else { return nil }
        func takes(_ types: ExpressionType...) -> Bool {
            arguments.count == types.count && zip(arguments, types).allSatisfy { $0.fits($1) }
        }
        func converts(from types: ExpressionType...) -> Bool {
            arguments.count == 1 && types.contains { first.fits($0) }
        }
        switch self {
        case .size:
            guard arguments.count == 1 else { return nil }
            switch first {
            case .string, .bytes, .list, .map, .dyn: return .int
            default: return nil
            }
        case .contains, .startsWith, .endsWith, .matches: return takes(.string, .string) ? .bool : nil
        case .bool: return converts(from: .bool, .string) ? .bool : nil
        case .bytes: return converts(from: .bytes, .string) ? .bytes : nil
        case .double: return converts(from: .double, .int, .uint, .string) ? .double : nil
        case .duration: return converts(from: .duration, .string, .int) ? .duration : nil
        case .dyn: return arguments.count == 1 ? .dyn : nil
        case .int: return converts(from: .int, .uint, .double, .string, .timestamp, .duration) ? .int : nil
        case .string:
            return converts(from: .string, .bool, .int, .uint, .double, .bytes, .timestamp, .duration) ? .string : nil
        case .timestamp: return converts(from: .timestamp, .string, .int) ? .timestamp : nil
        case .type: return arguments.count == 1 ? .type : nil
        case .uint: return converts(from: .uint, .int, .double, .string) ? .uint : nil
        case .getHours, .getMilliseconds, .getMinutes, .getSeconds:
            return takes(.timestamp) || takes(.timestamp, .string) || takes(.duration) ? .int : nil
        case .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getFullYear, .getMonth:
            return takes(.timestamp) || takes(.timestamp, .string) ? .int : nil
        }
    }

    /// The function as it is called, for messages: `string.contains(string)`.
    static func call(_ name: String, receiver: Bool, _ arguments: [ExpressionType]) -> String {
        let names = arguments.map(\.name)
        return receiver
            ? "\(names[0]).\(name)(\(names.dropFirst().joined(separator: ", ")))"
            : "\(name)(\(names.joined(separator: ", ")))"
    }
}

/// Names that stand for types: `type(x) == int`.
enum TypeName {
    static let all: Set<String> = [
        "bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint",
        "google.protobuf.Timestamp", "google.protobuf.Duration",
    ]
}
