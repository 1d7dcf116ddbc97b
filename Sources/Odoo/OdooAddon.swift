import JSON

/// The addon `deploy/odoo-addon/millgate` in an Odoo: it carries out a request once, however often it is sent, and all of
/// its calls in one transaction.
package struct OdooAddon: Hashable, Sendable {
    package var version: String
    package var protocolVersion: Int

    /// What this gateway speaks; an addon that speaks another is left alone.
    package static let protocolSpoken = 1
    package static let model = "millgate.request"

    package init(version: String, protocolVersion: Int) {
        self.version = version
        self.protocolVersion = protocolVersion
    }

    /// Nil where it is no answer to `about`.
    package init?(_ about: JSONValue?) {
        guard let version = about?["version"]?.string, let protocolVersion = about?["protocol"]?.int else { return nil }
        self.init(version: version, protocolVersion: protocolVersion)
    }

    package var isUsable: Bool { protocolVersion == Self.protocolSpoken }

    package static let about = OdooCall(model: model, method: "about")

    /// - Parameters:
    ///   - id: of the request, at most 200 characters. Sent again, it is answered what it was answered.
    ///   - program: its steps. (`AddonStep`)
    package static func perform(_ id: String, _ program: JSONValue) -> OdooCall {
        OdooCall(
            model: model, method: "perform",
            positional: [.init("request_id", .string(id)), .init("program", program)])
    }

    /// Sees to it that a request that was not carried out never is, also when it is late.
    package static func close(_ id: String) -> OdooCall {
        OdooCall(model: model, method: "close", positional: [.init("request_id", .string(id))])
    }

    /// What the addon raises of its own; anything else is Odoo's.
    package enum Refusal: String, Sendable, CaseIterable {
        case programInvalid = "ProgramInvalid"
        case expectationFailed = "ExpectationFailed"
        /// A wizard, where none may come; the message is its model.
        case decisionWanted = "DecisionWanted"
        case loadRefused = "LoadRefused"
        /// Perhaps contention. (`OdooLoadAnswer.isWorthRetrying`)
        case loadFailed = "LoadFailed"
        case requestMismatch = "RequestMismatch"
        case requestClosed = "RequestClosed"
        case requestTorn = "RequestTorn"

        static let prefix = "odoo.addons.millgate.exceptions."

        package init?(_ error: OdooError) {
            guard error.name.hasPrefix(Self.prefix) else { return nil }
            self.init(rawValue: String(error.name.dropFirst(Self.prefix.count)))
        }
    }
}

/// What the addon answered.
package struct AddonAnswer: Hashable, Sendable {
    /// One for each step; null for a method that returns nothing.
    package let results: [JSONValue]
    /// It was carried out before.
    package let isAgain: Bool

    package init(_ result: JSONValue?) throws(OdooShapeError) {
        guard let results = result?["results"]?.array, let isAgain = result?["again"]?.bool else {
            throw OdooShapeError(field: "results", expected: "an answer of the addon")
        }
        self.results = results
        self.isAgain = isAgain
    }
}

/// One step of a request.
package enum AddonStep: Hashable, Sendable {
    /// - Parameter noWizard: an answer that opens one takes everything back: Odoo has not done it.
    case call(OdooCall, noWizard: Bool = false)
    /// A guard, checked with the rows locked; where it fails everything is taken back.
    ///
    /// - Parameters:
    ///   - ids: of the records, each of which must be so.
    ///   - conditions: a domain in Polish notation, of fields, `=`, `!=`, `<`, `<=`, `>`, `>=`, `in` and `not in`.
    ///   - why: for the refusal.
    case expect(_ model: String, ids: [Int], _ conditions: [JSONValue], why: String)

    var json: JSONValue {
        switch self {
        case .call(let call, let noWizard):
            var inner: JSONObject = ["model": .string(call.model), "method": .string(call.method)]
            if let ids = call.ids { inner["ids"] = .array(ids.map { JSONValue($0) }) }
            if !call.positional.isEmpty { inner["args"] = .array(call.positional.map(\.value)) }
            if !call.named.isEmpty { inner["kwargs"] = .object(JSONObject(call.named.map { ($0.name, $0.value) })) }
            if !call.context.isEmpty { inner["context"] = .object(call.context) }
            return noWizard ? ["call": .object(inner), "no_wizard": true] : ["call": .object(inner)]
        case .expect(let model, let ids, let conditions, let why):
            return [
                "expect": [
                    "model": .string(model), "ids": .array(ids.map { JSONValue($0) }), "where": .array(conditions),
                ], "why": .string(why),
            ]
        }
    }
}

/// What stands for the id of a record that an earlier step of the same program makes, until the program is written.
///
/// Recipes take ids as numbers; so it is a number that no record has, and becomes a reference in the program's text.
package struct AddonReference: Hashable, Sendable {
    /// Beyond every id of PostgreSQL's `integer`, and within the numbers that JSON keeps.
    private static let base = 9_000_000_000_000_000

    package static func placeholder(ofStep step: Int) -> Int { base + step }

    /// The id in the result of a step: of `load`, of `create`, or the number itself.
    private static func path(_ step: Int, in program: [AddonStep]) -> JSONValue {
        guard case .call(let call, _) = program[step] else { return JSONValue(step) }
        switch call.method {
        case "load": return [JSONValue(step), "ids", 0]
        // All that it found.
        case "search": return JSONValue(step)
        default: return [JSONValue(step), 0]
        }
    }

    /// The program's text: each placeholder is a reference there.
    package static func program(_ steps: [AddonStep]) -> JSONValue {
        func linked(_ value: JSONValue) -> JSONValue {
            switch value {
            case .array(let items): return .array(items.map(linked))
            case .object(let object):
                return .object(JSONObject(object.members.map { ($0.key, linked($0.value)) }))
            case .number:
                guard let number = value.int, number >= base, steps.indices.contains(number - base) else {
                    return value
                }
                let step = number - base
                return ["$ref": path(step, in: steps)]
            case .null, .bool, .string: return value
            }
        }
        return .array(steps.map { linked($0.json) })
    }

    /// The id that a step's result holds.
    package static func id(of result: JSONValue?) -> Int? {
        result?["ids"]?[0]?.int ?? result?[0]?.int ?? result?.int
    }
}
