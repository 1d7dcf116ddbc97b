import Bytes
import Events
import JSON
import Store
import Upstream

/// What the gateway tells of its own operations, and what it adds to the events of services.
extension WriteJob {
    /// An event of a service, with its id and what it comes from.
    func completed(_ event: BusinessEvent) -> BusinessEvent {
        var event = event
        event.id = OperationID.make(world.host.wall)
        event.correlationID = event.correlationID ?? record.request.traceID
        event.causationID = event.causationID ?? record.id
        event.traceparent = event.traceparent ?? CallTrace.traceparent
        return event
    }

    /// Nobody can say whether it happened.
    func needsAttention(_ journal: OperationJournal, canSettle: Bool) -> BusinessEvent {
        .needsAttention(record, records: journal.records, canSettle: canSettle, now: world.host.wall)
    }

    /// It is known now what became of it.
    func settled(_ journal: OperationJournal, applied: Bool) -> BusinessEvent {
        var event = BusinessEvent.operation(
            "operation.settled", record, records: journal.records, now: world.host.wall)
        event.data = event.data.adding("state", "settled").adding("applied", .bool(applied))
        return event
    }
}

extension BusinessEvent {
    static func needsAttention(
        _ record: OperationRecord, records: [String], canSettle: Bool, now: WallInstant
    ) -> BusinessEvent {
        var event = operation("operation.needs-attention", record, records: records, now: now)
        event.data = event.data.adding("state", "unknown").adding("can_settle", .bool(canSettle))
        return event
    }

    /// The time for settling is over: told once more, because now nobody looks but people.
    static func beyondSettling(_ record: OperationRecord, records: [String], now: WallInstant) -> BusinessEvent {
        var event = needsAttention(record, records: records, canSettle: false, now: now)
        event.key = "operation.needs-attention|\(record.id)|limit"
        return event
    }

    static func settledByPerson(_ record: OperationRecord, applied: Bool, now: WallInstant) -> BusinessEvent {
        var event = operation("operation.settled", record, records: record.records, now: now)
        event.data = event.data.adding("state", "settled").adding("applied", .bool(applied))
        return event
    }

    fileprivate static func operation(
        _ name: String, _ record: OperationRecord, records: [String], now: WallInstant
    ) -> BusinessEvent {
        BusinessEvent(
            id: OperationID.make(now), name: name, subject: "operation/\(record.id)", time: now,
            data: [
                "operation": .string(record.id), "name": .string(record.request.operation),
                "records": .array(records.map { .string($0) }),
            ], key: "\(name)|\(record.id)", correlationID: record.request.traceID, causationID: record.id,
            traceparent: CallTrace.traceparent)
    }
}

extension JSONValue {
    fileprivate func adding(_ name: String, _ value: JSONValue) -> JSONValue {
        guard var members = object else { return self }
        members[name] = value
        return .object(members)
    }
}
