import Bytes
import Documents
import JSON

/// The parameters and the body of a request, typed and with defaults.
package struct EndpointInput: Hashable, Sendable {
    package let path: JSONObject
    package let query: JSONObject
    /// Null where there was none.
    package let body: JSONValue

    /// All members in one object, as conditions of the policy see them: those of the body, or else of query and path.
    package var flat: JSONObject {
        var all = path
        for (name, value) in query.members { all[name] = value }
        for (name, value) in body.object?.members ?? [] { all[name] = value }
        return all
    }
}

/// Everything in which a request violates its contract.
package struct InvalidInput: Error, Hashable, Sendable {
    package let violations: [Violation]

    package var problem: Problem { .invalidInput(violations) }
}

extension Endpoint {
    /// Reads the input of a request to this endpoint.
    ///
    /// - Parameters:
    ///   - captures: the raw segments that the path's parameters matched.
    ///   - query: behind the `?`, without it; nil or empty for none.
    ///   - body: nil for none.
    /// - Throws: all violations at once.
    package func read(
        captures: [String], query: String?, body: JSONValue?
    ) throws(InvalidInput) -> EndpointInput {
        var violations: [Violation] = []
        var path = JSONObject()
        for (parameter, raw) in zip(pathParameters, captures) {
            let place = Violation.Place.path(parameter.name)
            guard let text = PercentEncoding.decode(raw.utf8, plusIsSpace: false) else {
                violations.append(Violation(place, "is not percent-encoded UTF-8"))
                continue
            }
            path[parameter.name] = Self.value(text, parameter, place, &violations)
        }
        let fields = readQuery(query ?? "", &violations)
        let checked = readBody(body, &violations)
        if !violations.isEmpty {
            throw InvalidInput(violations: Array(violations.prefix(Violation.countMax)))
        }
        return EndpointInput(path: path, query: fields, body: checked)
    }

    /// Most parameters of a query. Default 64.
    package static let queryParametersMax = 64

    private func readQuery(_ query: String, _ violations: inout [Violation]) -> JSONObject {
        var result = JSONObject()
        let parts = query.utf8.split(separator: UInt8(ascii: "&"), maxSplits: Self.queryParametersMax)
        if parts.count > Self.queryParametersMax {
            violations.append(Violation(.query(""), "has more than \(Self.queryParametersMax) parameters"))
            return result
        }
        var seen: Set<String> = []
        for part in parts {
            let halves = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(halves[0], plusIsSpace: true),
                let text = PercentEncoding.decode(halves.count > 1 ? halves[1] : halves[0].prefix(0), plusIsSpace: true)
            else {
                violations.append(Violation(.query(""), "is not percent-encoded UTF-8"))
                continue
            }
            let place = Violation.Place.query(Suggestion.shortened(name))
            guard let parameter = queryParameters.first(where: { $0.name == name }) else {
                violations.append(Violation(place, "is not known" + Self.known(name, queryParameters.map(\.name))))
                continue
            }
            guard seen.insert(name).inserted else {
                violations.append(Violation(place, "occurs twice"))
                continue
            }
            result[name] = Self.value(text, parameter, place, &violations)
        }
        for parameter in queryParameters where !seen.contains(parameter.name) {
            if let value = parameter.schema.defaultValue {
                result[parameter.name] = value
            } else if parameter.isRequired {
                violations.append(Violation(.query(parameter.name), "is required"))
            }
        }
        return result
    }

    private func readBody(_ body: JSONValue?, _ violations: inout [Violation]) -> JSONValue {
        // Lines are read one by one, by who carries them out.
        if bodyMediaType != Self.json { return .null }
        guard let schema = self.body else {
            if body != nil { violations.append(Violation(pointer: "", "this endpoint takes no body")) }
            return .null
        }
        guard let body else {
            if isBodyRequired { violations.append(Violation(pointer: "", "a JSON body is required")) }
            return isBodyRequired ? .null : schema.completed([:])
        }
        let found = schema.validate(body)
        violations += found
        return found.isEmpty ? schema.completed(body) : .null
    }

    private static func known(_ name: String, _ names: [String]) -> String {
        let suggestion = Suggestion.clause(for: name, among: names)
        if !suggestion.isEmpty { return suggestion }
        return names.isEmpty
            ? "; there are no parameters" : "; known are \(names.map { "'\($0)'" }.joined(separator: ", "))"
    }

    /// The text of a parameter as the type that its schema wants, checked.
    private static func value(
        _ text: String, _ parameter: Parameter, _ place: Violation.Place, _ violations: inout [Violation]
    ) -> JSONValue? {
        let value: JSONValue
        if parameter.schema.types == [.array] {
            let kinds = parameter.schema.items?.types ?? []
            value = .array(
                text.isEmpty
                    ? []
                    : text.split(separator: ",", omittingEmptySubsequences: false).map { scalar(String($0), kinds) })
        } else {
            value = scalar(text, parameter.schema.types)
        }
        let found = parameter.schema.validate(value)
        violations += found.map { violation in
            // Which element of a list it is, is clear from the message.
            Violation(place, violation.detail)
        }
        return found.isEmpty ? value : nil
    }

    private static func scalar(_ text: String, _ kinds: [Schema.Kind]) -> JSONValue {
        if kinds.contains(.integer) || kinds.contains(.number), let number = JSONNumber(text) {
            return .number(number)
        }
        if kinds.contains(.boolean), text == "true" || text == "false" { return .bool(text == "true") }
        return .string(text)
    }
}

/// Percent-encoding of URIs (RFC 3986 §2.1) and of forms, where `+` is a space.
enum PercentEncoding {
    /// Nil when a `%` is not followed by two hexadecimal digits, or the bytes are not UTF-8, or hold a NUL.
    static func decode(_ bytes: some Sequence<UInt8>, plusIsSpace: Bool) -> String? {
        var out: [UInt8] = []
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.next().flatMap(nibble), let low = rest.next().flatMap(nibble) else { return nil }
                out.append(high << 4 | low)
            } else {
                out.append(byte == UInt8(ascii: "+") && plusIsSpace ? UInt8(ascii: " ") : byte)
            }
        }
        if out.contains(0) { return nil }
        return String(validating: out, as: UTF8.self)
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        if byte &- 48 < 10 { return byte &- 48 }
        let letter = byte | 0x20
        return letter &- 97 < 6 ? letter &- 87 : nil
    }
}
