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
        guard let id = OdooExternalID(module: "millgate", name: name) else {
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
        let id = try await create(call, text, step: name, ["external_id": .string(externalID.description)])
        if !isLast { try await keep(made: id, as: name, "\(model),\(id)") }
        return id
    }

    /// The same with a call of its own. It is repeated until it is answered.
    func create(
        _ call: OdooCall, _ text: String, step name: String, _ intent: JSONObject
    ) async throws(ServiceStop) -> Int {
        var journaled: JSONObject = ["step": .string(name)]
        for (key, value) in intent.members { journaled[key] = value }
        let wasSent = sent[name] != nil
        try await begin(.effect, text, intent: .object(journaled))
        note(sent: name, at: odoo.wall)
        let id = try await load(call, mayBeDone: wasSent)
        settle(changed: true)
        return id
    }

    private func load(_ call: OdooCall, mayBeDone: Bool) async throws(ServiceStop) -> Int {
        var mayBeDone = mayBeDone
        var pause = OdooSession.pauseMax
        var tries = 1
        while true {
            var doubt = "others load at the same time"
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
                case .unknown, .applied: mayBeDone = true
                case .notSent where mayBeDone: break
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
