import Bytes
import Expressions
import JSON
import Policy

/// The values at which conditions can turn, from the constants that they compare with: on both sides of each, and each
/// itself.
struct Turnings {
    /// Members of the input, by name; nil in a list is an absent member.
    private(set) var input: [String: [JSONValue?]] = [:]
    /// Claims of the caller.
    private(set) var claims: [String: [JSONValue]] = [:]
    private(set) var times: [WallInstant] = []
    private(set) var resource: [Resource.Attribute: Set<String>] = [:]
    /// What conditions ask that cannot be enumerated, in words.
    private(set) var unknown: Set<String> = []

    init(_ rules: [Rule], operations: [String], now: WallInstant) {
        var times: Set<WallInstant> = [now]
        for rule in rules {
            for bound in [rule.validFrom, rule.validUntil].compactMap(\.self) {
                times.insert(bound)
                times.insert(bound + -1_000_000_000)
            }
        }
        var numbers: [String: Set<Double>] = [:]
        var texts: [String: Set<String>] = [:]
        var sizes: [String: Set<Int>] = [:]
        var hours: Set<Int> = []
        var days: Set<Int> = []
        var seen: Set<String> = []
        for rule in rules {
            for expression in operations.compactMap({ rule.condition?.expression(for: $0) }) {
                seen.formUnion(expression.references)
                for one in expression.comparisons {
                    switch (one.function, one.path) {
                    case (nil, "environment.time"):
                        for case .timestamp(let time) in one.constants {
                            let at = WallInstant(seconds: time.seconds)
                            times.formUnion([at + -1_000_000_000, at, at + 1_000_000_000])
                        }
                    case ("getHours", "environment.time"): hours.formUnion(one.constants.compactMap(\.whole))
                    case ("getDayOfWeek", "environment.time"): days.formUnion(one.constants.compactMap(\.whole))
                    case ("size", _): sizes[one.path, default: []].formUnion(one.constants.compactMap(\.whole))
                    case (nil, _):
                        for constant in one.constants {
                            if let number = constant.number { numbers[one.path, default: []].insert(number) }
                            if case .string(let text) = constant { texts[one.path, default: []].insert(text) }
                        }
                    default: unknown.insert("`\(one.function ?? "")` of \(one.path)")
                    }
                }
            }
        }
        for path in seen.sorted() {
            var values: [JSONValue] = Self.around(numbers[path] ?? [])
            values += Self.beside(texts[path] ?? [])
            values += (sizes[path] ?? []).sorted().flatMap { size in
                [size - 1, size, size + 1].filter { $0 >= 0 && $0 <= 1_000 }
                    .map { .string(String(repeating: "x", count: $0)) }
            }
            let parts = path.split(separator: ".").map(String.init)
            guard parts.count > 1 else { continue }
            switch (parts[0], parts.count) {
            case ("input", 2):
                // Nothing compared: a flag, or something that is only looked for.
                input[parts[1]] = [nil] + (values.isEmpty ? [true, false] : values)
            case ("input", _): unknown.insert(path)
            case ("resource", 2):
                if let attribute = Resource.Attribute(rawValue: parts[1]) {
                    resource[attribute, default: []].formUnion(texts[path] ?? [])
                }
            case ("principal", 3) where parts[1] == "claims":
                claims[parts[2]] = values.isEmpty ? [true, "x"] : values
            case ("principal", _), ("environment", _): break
            default: break
            }
        }
        for hour in hours {
            for other in [hour - 1, hour, hour + 1] where (0..<24).contains(other) {
                times.insert(Self.day(now, hour: other))
            }
        }
        if !days.isEmpty {
            for day in Int64(0)..<7 { times.insert(Self.day(now + .hours(24 * day), hour: hours.first ?? 12)) }
        }
        self.times = times.sorted()
    }

    private static func day(_ now: WallInstant, hour: Int) -> WallInstant {
        WallInstant(seconds: now.seconds - now.seconds % 86_400 + Int64(hour) * 3_600)
    }

    /// One number of each stretch between the constants, and the constants.
    private static func around(_ numbers: Set<Double>) -> [JSONValue] {
        let sorted = numbers.filter(\.isFinite).sorted()
        guard let first = sorted.first, let last = sorted.last else { return [] }
        var all = [first - 1]
        for (index, number) in sorted.enumerated() {
            all.append(number)
            if index + 1 < sorted.count { all.append((number + sorted[index + 1]) / 2) }
        }
        all.append(last + 1)
        return all.compactMap { number in
            let text = number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
            return JSONNumber(text).map { .number($0) }
        }
    }

    /// Each text, something that begins and ends with it, and something else.
    private static func beside(_ texts: Set<String>) -> [JSONValue] {
        if texts.isEmpty { return [] }
        return texts.sorted().flatMap { [.string($0), .string($0 + "-"), .string("-" + $0)] } + [
            .string("something else")
        ]
    }
}

extension ExpressionValue {
    fileprivate var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .uint(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    fileprivate var whole: Int? { number.flatMap { Int(exactly: $0) } }
}
