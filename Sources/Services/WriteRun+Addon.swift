import Bytes
import JSON
import Odoo
import Store

/// Requests through the addon, where Odoo has it: what is sent under an id happens once. So a lost answer is no riddle:
/// the same is sent again, and answered.
///
/// The journal has the id and the program before they are sent. Where the addon is gone by the time of a repetition, it
/// is left for good, in writing, and the effect is looked for as without it: a call that is late is refused, because its
/// model is not there, and one that is under way has ended after `callRunsMax`.
extension WriteRun {
    /// How a request ended.
    enum AddonEnd: Sendable {
        /// With the results of its steps, now or earlier.
        case done([JSONValue])
        /// Everything was taken back, and no sending of it will be carried out any more.
        case refused(OdooError)
        /// There is no addon to ask. What was sent earlier stands in `sent`.
        case left
    }

    private enum Sending: Sendable {
        case done([JSONValue])
        case refused(OdooError)
        /// Its id was closed: nothing was done, and a new id is needed.
        case closed
        /// The addon is gone, or cannot say.
        case gone(isUnheard: Bool)
    }

    /// A request as the journal has it.
    struct AddonRequest: Sendable {
        let id: String
        let program: JSONValue
    }

    /// Most sendings in one try, and most ids for one step.
    private static let addonSendingsMax = 4
    /// Longest wait before a settled refusal of contention is given up; see `loadsMax`.
    private static let addonIDsMax = 20

    /// Whether a step of this name goes through the addon: it did in an earlier try, or nothing was sent yet.
    func goesThroughAddon(_ name: String, _ names: [String]) -> Bool {
        request(of: name) != nil || hasAddon && !names.contains { hasSent($0) }
    }

    var hasAddon: Bool { probe.known?.addon?.isUsable ?? false }

    func request(of name: String) -> AddonRequest? {
        guard let id = intents[name]?["request"]?.string, let program = intents[name]?["program"] else { return nil }
        return AddonRequest(id: id, program: program)
    }

    /// Carries out steps as one transaction, once.
    ///
    /// - Parameters:
    ///   - name: the journal's; the request's id is made of it.
    ///   - names: the steps that are inside, as they are called without the addon.
    func throughAddon(
        _ name: String, _ names: [String], _ text: String, _ steps: [AddonStep], intent: JSONObject = JSONObject(),
        records: [String] = []
    ) async throws(ServiceStop) -> AddonEnd {
        if let end = try await askAgain(name, names) { return end }
        let program = AddonReference.program(steps)
        for _ in 0..<Self.addonIDsMax {
            let number = closedRequests[name, default: 0]
            let request = AddonRequest(
                id: "\(operationID).\(name)" + (number == 0 ? "" : ".\(number)"), program: program)
            var journaled: JSONObject = [
                "step": .string(name), "steps": .array(names.map { .string($0) }), "request": .string(request.id),
                "program": program,
            ]
            for (key, value) in intent.members { journaled[key] = value }
            try await begin(.effect, text, intent: .object(journaled), records: records)
            for each in names + [name] { note(sent: each, at: odoo.wall) }
            intents[name] = .object(journaled)
            let end = try await send(request, of: name, wasSent: false)
            if let end = try await ended(end, request, of: name, names) { return end }
        }
        throw unknown(canSettle: false, "its ids were closed again and again")
    }

    /// Sends again what an earlier try sent; nil where it did not, or its id was closed and nothing done.
    func askAgain(_ name: String, _ names: [String] = []) async throws(ServiceStop) -> AddonEnd? {
        guard let earlier = request(of: name) else { return nil }
        let end = try await send(earlier, of: name, wasSent: true)
        return try await ended(end, earlier, of: name, names)
    }

    /// Nil where it is to be sent anew.
    private func ended(
        _ end: Sending, _ request: AddonRequest, of name: String, _ names: [String]
    ) async throws(ServiceStop) -> AddonEnd? {
        switch end {
        case .done(let results): return .done(results)
        case .refused(let error):
            settle(changed: false)
            return .refused(error)
        case .closed:
            try await leave(request, of: name, names, isUnheard: false)
            return nil
        case .gone(let isUnheard):
            try await leave(request, of: name, names, isUnheard: isUnheard)
            return .left
        }
    }

    /// Writes down that a request is not sent again. Of one that was heard nothing is looked for.
    private func leave(
        _ request: AddonRequest, of name: String, _ names: [String], isUnheard: Bool
    ) async throws(ServiceStop) {
        let step = JournalStep(
            text: isUnheard ? "the addon does not say what became of it" : "nothing was done by the addon",
            intent: [
                "step": .string(name), "steps": .array(names.map { .string($0) }), "left": .string(request.id),
                "unheard": .bool(isUnheard),
            ])
        do throws(ServiceStop) {
            try await journal.advance(to: journal.state, step)
        } catch {
            throw isUnheard ? unknown(canSettle: true, error.cause ?? "the ledger failed") : error
        }
        forget(requestOf: name, names, isUnheard: isUnheard)
    }

    /// Sends until it is answered.
    ///
    /// - Parameter wasSent: in an earlier try, whose answer nobody has heard.
    private func send(
        _ request: AddonRequest, of name: String, wasSent: Bool
    ) async throws(ServiceStop) -> Sending {
        var isUnheard = wasSent
        var pause = OdooSession.pauseMax
        var sendings = 0
        while true {
            sendings += 1
            let problem: OdooError
            do throws(OdooError) {
                return .done(try await performed(request))
            } catch {
                problem = error
            }
            switch problem.outcome {
            case .unknown, .applied: isUnheard = true
            case .notSent:
                guard isUnheard else {
                    settle(changed: false)
                    throw ServiceStop(problem)
                }
            case .rejected:
                let refusal = OdooAddon.Refusal(problem)
                switch refusal {
                case .requestClosed: return .closed
                case .requestMismatch, .requestTorn: return .gone(isUnheard: true)
                case .loadFailed where sendings < Self.addonSendingsMax: break
                default:
                    if refusal == nil, try await isAddonGone(problem) { return .gone(isUnheard: isUnheard) }
                    return isUnheard ? try await close(request, problem) : .refused(problem)
                }
            }
            guard sendings < Self.addonSendingsMax, odoo.remaining.map({ $0 > pause }) ?? true else {
                throw unknown(canSettle: true, problem.description)
            }
            await odoo.world.host.sleep(Nanoseconds.random(in: 0...pause))
            pause *= 2
        }
    }

    private func performed(_ request: AddonRequest) async throws(OdooError) -> [JSONValue] {
        let result = try await odoo.call(OdooAddon.perform(request.id, request.program))
        do throws(OdooShapeError) {
            return try AddonAnswer(result).results
        } catch {
            throw error.asOdooError
        }
    }

    /// A sending was refused, and an earlier one is perhaps still on its way: it must not come after that.
    private func close(_ request: AddonRequest, _ refusal: OdooError) async throws(ServiceStop) -> Sending {
        do throws(OdooError) {
            let answer = try await odoo.call(OdooAddon.close(request.id))
            if answer?["closed"]?.bool == true { return .refused(refusal) }
            guard let results = answer?["results"]?.array else { throw OdooShapeError.closing.asOdooError }
            return .done(results)
        } catch {
            throw unknown(canSettle: true, error.description)
        }
    }

    /// Whether a refusal came for want of the addon, and not out of the program.
    private func isAddonGone(_ error: OdooError) async throws(ServiceStop) -> Bool {
        guard OdooApps.isAbsence(error) || error.kind == .access || error.kind == .server else { return false }
        do throws(OdooError) {
            return try await probe.addon(odoo) == nil
        } catch {
            // It was refused, for either reason; which one can be asked the next time.
            throw unknown(canSettle: true, error.description)
        }
    }

    /// What a refusal of the addon means.
    func refusal(_ error: OdooError) -> ServiceStop {
        switch OdooAddon.Refusal(error) {
        case .decisionWanted: return Self.decisionWanted(error.message)
        case .expectationFailed: return Self.nothingDone(nil)
        case .loadRefused, .loadFailed:
            return ServiceStop(
                .refused, .odooRefused(message: error.message.isEmpty ? nil : error.message, error: "load"),
                cause: error.message)
        case .programInvalid, .requestMismatch, .requestClosed, .requestTorn, nil: return ServiceStop(error)
        }
    }
}

extension OdooShapeError {
    fileprivate static let closing = OdooShapeError(field: "results", expected: "an answer of the addon")
}
