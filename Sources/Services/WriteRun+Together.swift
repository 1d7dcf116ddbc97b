import Bytes
import JSON
import Odoo

/// What earlier steps of a chain have made: ids of records, by part. In the addon's program they are what stands for them.
struct Made: Sendable {
    private var ids: [String: Int] = [:]

    /// The record of a part; every chain names it in an earlier step.
    subscript(part: String) -> Int {
        get { ids[part] ?? 0 }
        set { ids[part] = newValue }
    }

    /// The record, where a chain makes one.
    var id: Int { self[""] }
}

/// A step of what belongs together, before the last one.
enum ChainStep {
    /// A record, through `load`; `part` tells several apart.
    case make(_ model: String, part: String = "", _ row: (Made) -> [(field: String, value: JSONValue)])
    /// A record that does no harm, however often it is made: a wizard, what was counted.
    case say(_ call: OdooCall)
    /// A call that does nothing where it was done, and how one sees that.
    case act(
        _ name: String, _ call: (Made) -> OdooCall, _ look: (Made) async throws(ServiceStop) -> Look<Void>)
    /// Absolute writes that book nothing: found by reads where the steps are walked, and written down without one for the
    /// addon.
    ///
    /// - Parameter program: takes the number of its first step.
    case arrange(
        _ text: String, _ calls: (Made) async throws(ServiceStop) -> [OdooCall],
        program: (Made, Int) -> [AddonStep])

    /// The step that the journal knows.
    fileprivate var name: String? {
        switch self {
        case .make(_, let part, _): "create" + part
        case .act(let name, _, _): name
        case .say, .arrange: nil
        }
    }
}

/// One description of what a service does, for both ways: with the addon one request and one transaction, without it step
/// by step, each looked for before it is done again.
extension WriteRun {
    /// - Parameters:
    ///   - last: the step that counts; its name is that of the request.
    ///   - look: reads what it has done.
    func together<Found: Sendable>(
        _ steps: [ChainStep], last: (Made) -> Effect, look: (Made) async throws(ServiceStop) -> Look<Found>
    ) async throws(ServiceStop) -> (made: Made, found: Found) {
        var made = Made()
        let name = last(made).name
        let names = steps.compactMap(\.name)
        // An earlier try may have walked to the last step, because nobody knew of the addon yet, and have sent that alone: its
        // request has the same name, and is asked about where the walk comes to it.
        let wasWhole = intents[name]?["whole"]?.bool == true
        if wasWhole || request(of: name) == nil && goesThroughAddon(name, names + [name]) {
            var program: [AddonStep] = []
            // Where the ids of what is made are found in the results.
            var places: [(part: String, step: Int)] = []
            for step in steps {
                switch step {
                case .make(let model, let part, let row):
                    let fields = [(field: "id", value: JSONValue.string(try externalID(part).description))] + row(made)
                    places.append((part, program.count))
                    made[part] = AddonReference.placeholder(ofStep: program.count)
                    program.append(.call(.load(model, fields: fields.map(\.field), rows: [fields.map(\.value)])))
                case .say(let call):
                    places.append(("", program.count))
                    made[""] = AddonReference.placeholder(ofStep: program.count)
                    program.append(.call(call))
                case .act(_, let call, _): program.append(.call(call(made), noWizard: true))
                case .arrange(_, _, let written): program += written(made, program.count)
                }
            }
            let effect = last(made)
            let place = program.count
            program.append(.call(effect.call, noWizard: true))
            program += effect.after
            var intent = effect.intent
            intent["whole"] = true
            let end = try await throughAddon(
                name, names, effect.text, program, intent: intent, records: effect.records)
            switch end {
            case .done(let results):
                for (part, step) in places {
                    guard results.indices.contains(step), let id = AddonReference.id(of: results[step]) else {
                        throw unknown(canSettle: false, "the addon does not say which record it is")
                    }
                    made[part] = id
                }
                let known = made
                return (
                    made,
                    try await found(
                        { () async throws(ServiceStop) in try await look(known) },
                        results.indices.contains(place) ? results[place] : nil)
                )
            case .refused(let error): throw refusal(error)
            case .left: made = Made()
            }
        }
        for step in steps {
            switch step {
            case .make(let model, let part, let row):
                made[part] = try await create(model, row(made), last(made).text, part: part)
            case .say(let call):
                let result = try await odoo.result(call)
                do throws(OdooShapeError) {
                    made[""] = try ChangeProductionQuantity.id(result)
                } catch {
                    throw ServiceStop(error)
                }
            case .act(let name, let call, let look):
                let known = made
                try await effect(Effect(name: name, text: last(made).text, call: call(made), repeats: true)) {
                    () async throws(ServiceStop) in try await look(known)
                }
            case .arrange(let text, let calls, _):
                // What is done needs no preparation, and what may still be done must not be disturbed. A request that was
                // left was perhaps never carried out, with all that was in it.
                if let earlier = sent[name] {
                    guard case .notDone = try await look(made), odoo.wall - earlier >= callRunsMax else { continue }
                }
                let writes = try await calls(made)
                if writes.isEmpty { continue }
                try await begin(.preparing, text, intent: ["for": .string(name)])
                for call in writes { _ = try await odoo.result(call) }
            }
        }
        let known = made
        return (
            made,
            try await effect(last(made)) { () async throws(ServiceStop) in try await look(known) }
        )
    }
}
