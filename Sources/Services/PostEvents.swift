import Bytes
import Contracts
import Events
import JSON
import Policy
import Store

/// `plant-event.post`: a plant system tells what happened. Only events that the catalogue calls open, with data as their
/// schema has it; all of a request or none.
///
/// An event that the same caller has posted before under the same id is known and not told again, so no
/// `Idempotency-Key` is needed. The id that receivers see is the gateway's own; the poster's is its `causationid`.
struct PostEvents: ReadService {
    let operation = "plant-event.post"
    let endpoints: Set = ["post"]

    /// How far the clock of a poster may be ahead. Default 5 minutes.
    static let aheadMax: Nanoseconds = .minutes(5)

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let call = request.call
        guard let catalogue = call.catalogue else {
            throw ServiceStop(.refused, Problem(.notImplemented, "there is no catalogue of events"))
        }
        let posted = request.input.body["events"]?.array ?? []
        var violations: [Violation] = []
        var events: [BusinessEvent] = []
        for (index, json) in posted.enumerated() {
            if let event = Self.event(json, at: "/events/\(index)", call, catalogue, &violations) {
                events.append(event)
            }
        }
        guard violations.isEmpty else {
            throw ServiceStop(.refused, .invalidInput(Array(violations.prefix(Violation.countMax))))
        }
        var decision: Decision?
        for site in Set(events.map(\.site)) { decision = try request.authorize(Resource(site: site)) }
        let recorded: [RecordedEvent]
        do throws(StoreError) {
            recorded = try await request.ledger.append(events)
        } catch {
            throw .ledger(error)
        }
        let sites = Set(events.map(\.site))
        var result = ReadResult(
            json: [
                "recorded": JSONValue(recorded.count), "known": JSONValue(events.count - recorded.count),
                "ids": .array(recorded.map { .string($0.event.id) }),
            ], records: [], resource: Resource(site: sites.count == 1 ? sites.first ?? nil : nil), decision: decision)
        result.outcome = .applied
        result.detail = "\(recorded.count) events posted, \(events.count - recorded.count) known"
        return result
    }

    private static func event(
        _ json: JSONValue, at pointer: String, _ call: ServiceCall, _ catalogue: EventCatalogue,
        _ violations: inout [Violation]
    ) -> BusinessEvent? {
        func wrong(_ member: String, _ text: String) {
            violations.append(Violation(pointer: "\(pointer)/\(member)", text))
        }
        guard let (definition, version) = catalogue.definition(type: json["type"]?.string ?? "") else {
            wrong("type", "is no type of the catalogue")
            return nil
        }
        guard definition.isOpen else {
            wrong("type", "is told by the gateway alone")
            return nil
        }
        let count = violations.count
        let subject = json["subject"]?.string ?? ""
        if !subject.hasPrefix(definition.aggregate + "/") || subject.utf8.count <= definition.aggregate.utf8.count + 1 {
            wrong("subject", "begins with '\(definition.aggregate)/'")
        }
        let now = call.world.host.wall
        let time = json["time"]?.string.flatMap { WallInstant($0) } ?? now
        if time > now + aheadMax { wrong("time", "is in the future") }
        let data = json["data"] ?? .null
        for violation in version.violations(data).prefix(20) {
            violations.append(Violation(pointer: "\(pointer)/data" + (violation.pointer ?? ""), violation.detail))
        }
        guard violations.count == count else { return nil }
        let id = json["id"]?.string ?? ""
        return BusinessEvent(
            id: OperationID.make(now), name: definition.name, version: version.number, subject: subject,
            site: json["site"]?.string, time: time, data: data, key: "posted|\(call.caller)|\(id)",
            correlationID: json["correlationid"]?.string ?? call.traceID, causationID: id,
            traceparent: json["traceparent"]?.string)
    }
}
