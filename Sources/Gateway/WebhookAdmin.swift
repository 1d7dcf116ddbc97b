import Bytes
import Contracts
import Delivery
import Events
import JSON
import Reactor
import Store
import Webhooks

/// `/webhooks` of the admin interface: how endpoints are, what failed, and what an operator does about it. Every change
/// is audited before it is answered.
///
///     GET    /webhooks                                every subscriber
///     POST   /webhooks               {document, by}   adds or changes one
///     GET    /webhooks/deliveries?after=&subscriber=  the latest attempts
///     GET    /webhooks/NAME
///     DELETE /webhooks/NAME                           one that was added
///     GET    /webhooks/NAME/attempts?limit=           failed attempts with request and response, the newest first
///     GET    /webhooks/NAME/dead-letters              what was given up, with a preview
///     POST   /webhooks/NAME/test | enable | disable
///     POST   /webhooks/NAME/rotate   {kind, overlap}
///     POST   /webhooks/NAME/redrive  {number | since, until, type, reason, subject | all | approve}
///     POST   /webhooks/NAME/replay   {after | since}
struct WebhookAdmin: AdminResource {
    let desk: WebhookDesk
    /// Writes an audit entry of the kind `admin`.
    let note: @Sendable (String) async -> Void

    func answer(_ request: AdminRequest) async -> AdminResponse? {
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.first == "webhooks" else { return nil }
        do {
            switch (request.method, parts.count) {
            case ("GET", 1): return AdminResponse(200, ["subscribers": .array(try await list())])
            case ("POST", 1): return try await register(request)
            case ("GET", 2) where parts[1] == "deliveries": return await deliveries(request)
            case ("GET", 2): return try await show(parts[1])
            case ("DELETE", 2): return try await remove(parts[1], request)
            case ("GET", 3): return try await details(parts[1], parts[2], request)
            case ("POST", 3): return try await act(parts[1], parts[2], request)
            default: return .problem(.methodNotAllowed, "webhooks take GET, POST and DELETE")
            }
        } catch let refused as WebhookDesk.Refused {
            switch refused {
            case .document(let text): return .problem(.invalidInput, text)
            case .conflict(let text): return .problem(.conflictState, text)
            case .store(let error): return .problem(.unavailable, "\(error)")
            }
        } catch {
            return .problem(.unavailable, "\(error)")
        }
    }

    // MARK: Subscribers

    private func list() async throws -> [JSONValue] {
        let letters = try await desk.deliveries.store.deadLetterCounts()
        let found = await desk.deliveries.reports().map { WebhookJSON.report($0, letters[$0.subscriber.name] ?? 0) }
        let broken = desk.broken.sorted { $0.key < $1.key }.map { name, problem -> JSONValue in
            ["subscriber": .string(name), "state": "broken", "waits_for": .string(problem)]
        }
        return found + broken
    }

    private func show(_ name: String) async throws -> AdminResponse {
        guard let found = try await list().first(where: { $0["subscriber"]?.string == name }) else {
            return Self.missing(name)
        }
        return AdminResponse(200, found)
    }

    private func register(_ request: AdminRequest) async throws -> AdminResponse {
        guard let document = request.object?["document"]?.string else {
            return .problem(.malformedRequest, "give the 'document' of a subscriber, YAML or JSON, as a text")
        }
        let by = Self.actor(request)
        let (name, secret) = try await desk.register(document, by: by)
        await note("webhook \(name): registered by \(by)")
        var answer = JSONObject([("subscriber", .string(name))])
        if let secret { answer["secret"] = .string(secret) }
        return AdminResponse(201, .object(answer))
    }

    private func remove(_ name: String, _ request: AdminRequest) async throws -> AdminResponse {
        guard try await desk.remove(name) else {
            return .problem(.notFound, "no subscriber '\(name)' was registered; those of files are removed there")
        }
        await note("webhook \(name): removed by \(Self.actor(request))")
        return AdminResponse(200, ["removed": .string(name)])
    }

    // MARK: What happened

    private func deliveries(_ request: AdminRequest) async -> AdminResponse {
        let query = Self.query(request)
        let lines = await desk.deliveries.recent(
            after: query["after"].flatMap { UInt64($0) } ?? 0, of: query["subscriber"])
        return AdminResponse(200, ["deliveries": .array(lines.map(WebhookJSON.line))])
    }

    private func details(_ name: String, _ what: String, _ request: AdminRequest) async throws -> AdminResponse {
        let query = Self.query(request)
        switch what {
        case "attempts":
            let limit = max(1, min(query["limit"].flatMap { Int($0) } ?? 20, DeliveryStore.attemptsMax))
            let attempts = try await desk.deliveries.store.attempts(of: name, limit: limit)
            return AdminResponse(200, ["attempts": .array(attempts.map(WebhookJSON.attempt))])
        case "dead-letters":
            let letters = try await desk.deliveries.letters(of: name, DeliveryDesk.Selection())
            return AdminResponse(200, ["dead_letters": .array(letters.map(WebhookJSON.letter))])
        default: return .problem(.notFound, "an endpoint has attempts and dead-letters")
        }
    }

    // MARK: What is done

    private func act(_ name: String, _ verb: String, _ request: AdminRequest) async throws -> AdminResponse {
        let by = Self.actor(request)
        let body = request.object ?? JSONObject()
        switch verb {
        case "enable", "disable":
            let isKnown =
                verb == "enable"
                ? await desk.deliveries.enable(name)
                : await desk.deliveries.disable(name, reason: body["reason"]?.string ?? "by \(by)")
            guard isKnown else { return Self.missing(name) }
            await note("webhook \(name): \(verb)d by \(by)")
            return AdminResponse(200, ["subscriber": .string(name), "state": .string(verb + "d")])
        case "rotate":
            let kind = body["kind"]?.string ?? "v1"
            guard ["v1", "v1a"].contains(kind) else {
                return .problem(.invalidInput, "'kind' is v1 (shared secret) or v1a (Ed25519)")
            }
            let overlap =
                body["overlap_seconds"]?.int.map { Nanoseconds.seconds(Int64(max(0, $0))) }
                ?? desk.snapshot?.configuration.webhooks.secretOverlap ?? 0
            let secret = try await desk.rotate(name, isAsymmetric: kind == "v1a", overlap: overlap)
            await note("webhook \(name): secret rotated by \(by)")
            return AdminResponse(200, ["subscriber": .string(name), "secret": .string(secret)])
        case "test": return try await test(name, by)
        case "replay": return try await replay(name, body, by)
        case "redrive": return try await redrive(name, body, by)
        default: return .problem(.notFound, "there is no '\(verb)'")
        }
    }

    private func test(_ name: String, _ by: String) async throws -> AdminResponse {
        let now = Clock.wall()
        let content = WebhookRequest.Content(
            RecordedEvent(
                number: 0, sequence: 0,
                event: BusinessEvent(
                    id: "test-\(now.nanoseconds)", name: "webhook.test", subject: "subscriber/\(name)", time: now,
                    data: ["subscriber": .string(name), "by": .string(by)])), format: .structured)
        guard let attempt = await desk.deliveries.test(name, content) else {
            return .problem(.notFound, "there is no subscriber '\(name)', or it has no secret yet")
        }
        await note("webhook \(name): tested by \(by)")
        return AdminResponse(200, WebhookJSON.attempt(attempt))
    }

    private func replay(_ name: String, _ body: JSONObject, _ by: String) async throws -> AdminResponse {
        let number: Int64
        if let after = body["after"]?.int, after >= 0 {
            number = Int64(after)
        } else if let since = body["since"]?.string.flatMap({ WallInstant($0) }) {
            number = try await desk.deliveries.cursor(at: since)
        } else {
            return .problem(.invalidInput, "give 'after', a cursor of the feed, or 'since', a time")
        }
        guard await desk.deliveries.replay(name, after: number) else { return Self.missing(name) }
        await note("webhook \(name): replayed behind \(number) by \(by)")
        return AdminResponse(200, ["subscriber": .string(name), "after": JSONValue(Int(number))])
    }

    private func redrive(_ name: String, _ body: JSONObject, _ by: String) async throws -> AdminResponse {
        guard let policy = desk.snapshot?.policy else { return .problem(.unavailable, "the gateway is starting") }
        let person = RedrivePerson(by, policy: policy)
        if let id = body["approve"]?.string {
            let held = try desk.approve(id, of: name, by: person)
            await note("webhook \(name): \(by) approves that \(held.people[0]) sends dead letters again")
            if !held.needs.isEmpty { return Self.waiting(id, held) }
            return await carryOut(name, held.messages, held.people.joined(separator: ", approved by "))
        }
        var selection = DeliveryDesk.Selection()
        selection.number = body["number"]?.int.map(Int64.init)
        for (key, path) in [("since", \DeliveryDesk.Selection.since), ("until", \.until)] {
            guard let text = body[key]?.string else { continue }
            guard let time = WallInstant(text) else {
                return .problem(.invalidInput, "'\(key)' is a time such as 2026-11-24T06:00:00Z")
            }
            selection[keyPath: path] = time
        }
        if let text = body["type"]?.string {
            guard let patterns = [EventPattern](list: text) else {
                return .problem(.invalidInput, "'type' selects events: production-order.*, lot.held")
            }
            selection.events = patterns
        }
        selection.reason = body["reason"]?.string
        selection.subject = body["subject"]?.string
        let isBound =
            selection.number != nil || selection.since != nil || selection.until != nil || !selection.events.isEmpty
            || selection.reason != nil || selection.subject != nil
        guard isBound || body["all"]?.bool == true else {
            return .problem(
                .invalidInput, "give number, since, until, type, reason or subject, or all: true for everything")
        }
        let messages = try await desk.deliveries.letters(of: name, selection).map(\.letter.message)
        let decision = person.decision(subscriber: name, letters: messages.count, isAll: !isBound)
        // A client certificate or a fresh token is nothing that this interface could ask for.
        guard decision.isPermitted, !decision.obligations.requiresClientCertificate,
            decision.obligations.tokenAgeMax == nil
        else {
            await note("webhook \(name): \(by) may not send \(messages.count) dead letters again")
            return .problem(.forbidden, "'\(by)' may not send \(messages.count) dead letters again: \(decision.reason)")
        }
        let needs = decision.obligations.secondPerson
        if needs.isEmpty { return await carryOut(name, messages, by) }
        let held = PendingRedrive(
            subscriber: name, messages: messages, isAll: !isBound, by: by, needs: needs, now: Clock.wall())
        await note("webhook \(name): \(by) asks to send \(messages.count) dead letters again")
        return Self.waiting(desk.hold(held), held)
    }

    private static func waiting(_ id: String, _ held: PendingRedrive) -> AdminResponse {
        let who = held.needs.map { $0.roles.isEmpty ? "somebody else" : $0.roles.sorted().joined(separator: " or ") }
        return AdminResponse(
            202,
            [
                "approval": .string(id), "letters": JSONValue(held.messages.count),
                "detail": .string("\(who.joined(separator: ", and ")) must approve it until \(held.expires.rfc3339)"),
            ])
    }

    private func carryOut(_ name: String, _ messages: [WebhookMessage], _ by: String) async -> AdminResponse {
        await note("webhook \(name): \(messages.count) dead letters sent again by \(by)")
        guard let result = await desk.deliveries.redrive(name, messages) else { return Self.missing(name) }
        return AdminResponse(
            200,
            [
                "redriven": JSONValue(result.count), "refused": JSONValue(result.refused),
                "detail": .string(
                    result.refused == 0
                        ? "" : "\(result.refused) under way, or sent again \(WebhookMessage.redrivesMax) times already"),
            ])
    }

    // MARK: Words

    private static func missing(_ name: String) -> AdminResponse {
        .problem(.notFound, "there is no subscriber '\(name)'")
    }

    private static func actor(_ request: AdminRequest) -> String { request.object?["by"]?.string ?? "unknown" }

    /// What an operator writes here has nothing to encode but the colons of a time.
    private static func query(_ request: AdminRequest) -> [String: String] {
        var values: [String: String] = [:]
        for pair in request.query.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1).map(String.init)
            if halves.count == 2 { values[halves[0]] = halves[1].replacing("%3A", with: ":") }
        }
        return values
    }
}
