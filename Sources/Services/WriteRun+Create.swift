import Bytes
import Contracts
import JSON
import Odoo

/// Creates that happen once: through `load`, under an external id made of the operation's id.
extension WriteRun {
    /// Most loads of one external id against another at the same moment. Default 4.
    static let loadsMax = 4

    /// The external id of what this operation makes; `part` tells several apart.
    func externalID(_ part: String = "") throws(ServiceStop) -> OdooExternalID {
        let name = "op_" + operationID + (part.isEmpty ? "" : "_" + part)
        guard let id = OdooExternalID(module: OdooExternalID.gateway, name: name) else {
            throw ServiceStop(.refused, Problem(.internal, "the operation's id is no external id"))
        }
        return id
    }

    /// Makes a record, or finds the one that an earlier try made.
    ///
    /// - Parameters:
    ///   - row: its fields; relations as `product_id/.id`, datetimes as Odoo writes them.
    ///   - isLast: nothing follows, so that its id need not be kept in the journal.
    func create(
        _ model: String, _ row: [(field: String, value: JSONValue)], _ text: String, part: String = "",
        isLast: Bool = false
    ) async throws(ServiceStop) -> Int {
        let name = "create" + part
        if let made = made[name] { return made }
        let externalID = try externalID(part)
        let fields = [(field: "id", value: JSONValue.string(externalID.description))] + row
        let call = OdooCall.load(model, fields: fields.map(\.field), rows: [fields.map(\.value)])
        let id = try await create(call, text, step: name, as: externalID)
        if !isLast { try await keep(made: id, as: name, "\(model),\(id)") }
        return id
    }

    /// The same with a call of its own, for the record with this external id.
    func create(
        _ call: OdooCall, _ text: String, step name: String, as externalID: OdooExternalID,
        _ intent: JSONObject = JSONObject()
    ) async throws(ServiceStop) -> Int {
        // Of the first sending, which is the one that may be looked for.
        let after = intents[name].map { $0["after"]?.int ?? 0 } ?? newest.id(of: call.model)
        var journaled: JSONObject = [
            "step": .string(name), "external_id": .string(externalID.description), "model": .string(call.model),
            "after": JSONValue(after),
        ]
        for (key, value) in intent.members { journaled[key] = value }
        if goesThroughAddon(name, [name]) {
            switch try await throughAddon(name, [], text, [.call(call)], intent: journaled) {
            case .done(let results):
                guard let id = AddonReference.id(of: results.first) else {
                    throw unknown(canSettle: false, "the addon does not say which record it is")
                }
                return finished(id, call.model)
            case .refused(let error): throw refusal(error)
            case .left: break
            }
        }
        let earlier = sent[name]
        if let earlier, let id = try await find(externalID, call.model, after: after, sentAt: earlier) {
            return finished(id, call.model)
        }
        try await begin(.effect, text, intent: .object(journaled))
        note(sent: name, at: odoo.wall)
        return finished(try await load(call, as: externalID, after: after), call.model)
    }

    private func finished(_ id: Int, _ model: String) -> Int {
        newest.note(id, of: model)
        settle(changed: true)
        return id
    }

    /// Loads until it is answered. A sending without an answer is looked for before another: a `load` writes the fields
    /// of a record that is there again, over what a person may have changed since.
    private func load(
        _ call: OdooCall, as externalID: OdooExternalID, after: Int
    ) async throws(ServiceStop) -> Int {
        var pause = OdooSession.pauseMax
        var tries = 1
        var isUnheard = false
        while true {
            var doubt = "others load at the same time"
            let sentAt = odoo.wall
            switch await outcome(call, lastTry: tries >= Self.loadsMax) {
            case .success(.created(let id)): return id
            case .success(.again): break
            case .success(.refused(let messages)):
                let text = messages.map(\.text).joined(separator: "\n")
                settle(changed: false)
                throw ServiceStop(
                    .refused, .odooRefused(message: text.isEmpty ? nil : text, error: "load"), cause: text)
            case .failure(let error):
                switch error.outcome {
                case .unknown, .applied:
                    isUnheard = true
                    if let id = try await find(
                        externalID, call.model, after: after, sentAt: sentAt, outcome: error.outcome)
                    {
                        return id
                    }
                case .notSent where isUnheard: break
                case .notSent, .rejected:
                    settle(changed: false)
                    throw ServiceStop(error)
                }
                doubt = error.description
            }
            if tries >= Self.loadsMax || odoo.remaining.map({ $0 < pause }) == true {
                throw unknown(canSettle: true, doubt)
            }
            await odoo.world.host.sleep(Nanoseconds.random(in: 0...pause))
            tries += 1
            pause *= 2
        }
    }

    /// What a sending without an answer has made; nil where it made nothing and can do so no more.
    ///
    /// As long as it may still run nothing is sent again: it would come after that, and write over what is changed then.
    private func find(
        _ externalID: OdooExternalID, _ model: String, after: Int, sentAt: WallInstant,
        outcome: OdooOutcome = .unknown(mayStillRun: true)
    ) async throws(ServiceStop) -> Int? {
        let runs: Bool
        if case .unknown(let mayStillRun) = outcome { runs = mayStillRun } else { runs = false }
        let host = odoo.world.host
        let began = host.monotonic
        var pause = Self.doubtPauseMin
        while true {
            var cause = "the call may still run"
            do throws(ServiceStop) {
                if let id = try await record(of: externalID, model, after: after) { return id }
                if !runs || host.wall - sentAt >= callRunsMax { return nil }
            } catch {
                // A read that failed says nothing.
                guard error.meaning == .away else {
                    throw unknown(canSettle: false, error.cause ?? "Odoo does not say which record it is")
                }
                cause = error.cause ?? cause
            }
            let now = host.monotonic
            let latest = min(odoo.deadline ?? now + Self.doubtTimeMax, began + Self.doubtTimeMax)
            guard now + pause < latest else { throw unknown(canSettle: true, cause) }
            await host.sleep(pause)
            pause *= 2
        }
    }

    /// The record with an external id, among those that were made after another and since the operation was accepted.
    private func record(
        of externalID: OdooExternalID, _ model: String, after: Int
    ) async throws(ServiceStop) -> Int? {
        var after = after
        for _ in 0..<OdooExternalID.pagesMax {
            let search = externalID.candidates(model, since: acceptedAt, after: after)
            let ids = try await odoo.records(search) { $0.id }
            guard let last = ids.last else { return nil }
            let metadata = try await odoo.result(OdooExternalID.metadata(model, ids))
            if let id = externalID.found(in: metadata) { return id }
            guard ids.count == OdooExternalID.candidatesMax else { return nil }
            after = last
        }
        throw unknown(canSettle: false, "too many records were made since: look for \(externalID) in Odoo")
    }

    private func outcome(_ call: OdooCall, lastTry: Bool) async -> Result<OdooLoadOutcome, OdooError> {
        let result: JSONValue?
        do throws(OdooError) {
            result = try await odoo.call(call)
        } catch {
            return .failure(error)
        }
        do throws(OdooShapeError) {
            return .success(try OdooLoadOutcome(of: result, lastTry: lastTry))
        } catch {
            return .failure(error.asOdooError)
        }
    }
}
