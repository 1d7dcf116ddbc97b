import Bytes
import Contracts
import JSON
import Odoo
import Store

/// Effects that happen once, whatever becomes of their answers.
extension WriteRun {
    /// How long one try reads again and again before it calls an outcome unknown. Default 5 s: most lost answers are
    /// of calls that were finished.
    static let doubtTimeMax: Nanoseconds = .seconds(5)
    /// First pause between two of these reads; doubles with each.
    static let doubtPauseMin: Nanoseconds = .milliseconds(200)
    /// Most sendings of an effect that may be repeated, in one try.
    static let sendingsMax = 3

    /// What the journal of earlier tries says was sent.
    func recall(_ steps: [OperationStep]) {
        for step in steps {
            let line = JournalStep(step.text)
            guard let name = line.intent?["step"]?.string else { continue }
            let names = line.intent?["steps"]?.array?.compactMap(\.string) ?? []
            if let left = line.intent?["left"]?.string {
                // Where the same step was sent in another way since, that counts.
                guard request(of: name)?.id == left else { continue }
                forget(requestOf: name, names, isUnheard: line.intent?["unheard"]?.bool ?? true)
            } else if let id = line.intent?["made"]?.int {
                note(made: id, as: name)
            } else if line.phase == .effect {
                for each in names + [name] { note(sent: each, at: step.time) }
                if let intent = line.intent { intents[name] = intent }
            } else if line.phase == .preparing, let intent = line.intent {
                intents[name] = intent
            }
        }
    }

    /// What the journal says about an effect of an earlier try, beyond its name.
    func recalled(_ name: String, _ member: String) -> JSONValue? { intents[name]?[member] }

    /// Sends the effect unless a look shows that it was done, and answers what the look finds afterwards.
    ///
    /// - Parameter look: reads the record. Asked before the effect only where an earlier try sent it.
    func effect<Found: Sendable>(
        _ effect: Effect, look: () async throws(ServiceStop) -> Look<Found>
    ) async throws(ServiceStop) -> Found {
        if goesThroughAddon(effect.name, [effect.name]) {
            let steps = [AddonStep.call(effect.call, noWizard: true)] + effect.after
            switch try await throughAddon(
                effect.name, [], effect.text, steps, intent: effect.intent, records: effect.records)
            {
            case .done(let results): return try await found(look, results.first)
            case .refused(let error): throw refusal(error)
            case .left: break
            }
        }
        if let earlier = sent[effect.name] {
            if let found = try await seen(look) { return found }
            // What did not happen yet may still happen, and would then happen twice.
            guard effect.repeats || odoo.wall - earlier >= callRunsMax else {
                throw unknown(canSettle: true, "the call may still run")
            }
        }
        var intent: JSONObject = ["step": .string(effect.name)]
        for (name, value) in effect.intent.members { intent[name] = value }
        try await begin(.effect, effect.text, intent: .object(intent), records: effect.records)
        note(sent: effect.name, at: odoo.wall)
        return try await send(effect, look)
    }

    private func send<Found: Sendable>(
        _ effect: Effect, _ look: () async throws(ServiceStop) -> Look<Found>
    ) async throws(ServiceStop) -> Found {
        let sentAt = odoo.wall
        var sendings = 0
        while true {
            sendings += 1
            var answer: JSONValue?
            do throws(OdooError) {
                answer = try await odoo.call(effect.call)
            } catch {
                switch error.outcome {
                case .rejected, .notSent:
                    // Of an effect that repeats an earlier sending may have been heard.
                    if sendings == 1 { settle(changed: false) }
                    throw ServiceStop(error)
                case .applied: break
                case .unknown(let runs):
                    if let found = try await doubted(look, sentAt: sentAt, mayStillRun: runs, once: effect.repeats) {
                        return found
                    }
                    guard sendings < Self.sendingsMax, effect.repeats || !runs else {
                        throw unknown(canSettle: true, error.description)
                    }
                    await odoo.world.host.sleep(Nanoseconds.random(in: 0...OdooSession.pauseMax))
                    continue
                }
            }
            return try await found(look, answer)
        }
    }

    /// What is there after Odoo has answered.
    func found<Found: Sendable>(
        _ look: () async throws(ServiceStop) -> Look<Found>, _ answer: JSONValue?
    ) async throws(ServiceStop) -> Found {
        isAnswered = true
        defer { isAnswered = false }
        if let found = try await seen(look) { return found }
        settle(changed: false)
        throw Self.nothingDone(answer)
    }

    /// What a look finds; nil where nothing was done.
    private func seen<Found: Sendable>(
        _ look: () async throws(ServiceStop) -> Look<Found>
    ) async throws(ServiceStop) -> Found? {
        switch try await look() {
        case .done(let found):
            settle(changed: true)
            return found
        case .conflict(let why): throw unknown(canSettle: false, why)
        case .notDone: return nil
        }
    }

    /// Looks again and again, or once; nil when the effect does not show.
    private func doubted<Found: Sendable>(
        _ look: () async throws(ServiceStop) -> Look<Found>, sentAt: WallInstant, mayStillRun: Bool, once: Bool
    ) async throws(ServiceStop) -> Found? {
        let host = odoo.world.host
        let began = host.monotonic
        var pause = Self.doubtPauseMin
        while true {
            var cause = "the call may still run"
            do throws(ServiceStop) {
                if let found = try await seen(look) { return found }
                if once || !mayStillRun || host.wall - sentAt >= callRunsMax { return nil }
            } catch {
                // A read that failed says nothing.
                guard error.meaning == .away else { throw error }
                cause = error.cause ?? cause
            }
            let now = host.monotonic
            let latest = min(odoo.deadline ?? now + Self.doubtTimeMax, began + Self.doubtTimeMax)
            guard now + pause < latest else { throw unknown(canSettle: true, cause) }
            await host.sleep(pause)
            pause *= 2
        }
    }

    /// Odoo answered and did nothing: it asks something back, or gives no reason.
    static func nothingDone(_ answer: JSONValue?) -> ServiceStop {
        if let action = OdooAction(answer) { return decisionWanted(action.resModel ?? action.type) }
        return ServiceStop(
            .refused, .odooRefused(message: "Odoo said that it is done, but changed nothing", error: ""),
            cause: "nothing changed")
    }

    static func decisionWanted(_ model: String) -> ServiceStop {
        ServiceStop(
            .refused,
            .odooRefused(
                message: "Odoo wants a decision that this interface cannot give (`\(model)`): do it in Odoo",
                error: model), cause: model)
    }

    /// What an ending means in the light of what was sent.
    func concluding(_ stop: ServiceStop) -> ServiceStop {
        switch stop.meaning {
        case .away where isOpen:
            // Something was done, or may have been; only the rest of the way is closed.
            return unknown(canSettle: true, stop.cause ?? stop.problem.detail ?? "it could not be read")
        case .refused where isInDoubt:
            return unknown(
                canSettle: false, stop.cause ?? stop.problem.detail ?? "the record does not allow it any more")
        case .refused, .forbidden, .away, .unknown: return stop
        }
    }
}
