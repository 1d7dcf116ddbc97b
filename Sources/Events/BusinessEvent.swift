import Bytes
import JSON

/// Something that happened, as its source tells it: the log adds the number and the sequence.
package struct BusinessEvent: Sendable, Hashable {
    /// Unique for all time; repeated deliveries carry the same. A ULID where the gateway makes it.
    package var id: String
    /// As in the catalogue, `production-order.released`.
    package var name: String
    /// Of its schema.
    package var version: Int
    /// The aggregate, by its canonical identifier: `production-order/26`. Events of one subject are counted in order.
    package var subject: String
    /// The plant; nil for what belongs to none.
    package var site: String?
    /// When it happened.
    package var time: WallInstant
    package var data: JSONValue
    /// What makes two tellings of one happening the same, whoever tells: the log keeps the first and drops the rest. Nil
    /// where the source itself tells each happening once.
    package var key: String?
    /// Joins everything that belongs to one piece of business; the trace id of the request that began it.
    package var correlationID: String?
    /// What caused it directly: the operation or event.
    package var causationID: String?
    /// W3C Trace Context.
    package var traceparent: String?

    package init(
        id: String = "", name: String, version: Int = 1, subject: String, site: String? = nil, time: WallInstant,
        data: JSONValue, key: String? = nil, correlationID: String? = nil, causationID: String? = nil,
        traceparent: String? = nil
    ) {
        self.id = id
        self.name = name
        self.version = version
        self.subject = subject
        self.site = site
        self.time = time
        self.data = data
        self.key = key
        self.correlationID = correlationID
        self.causationID = causationID
        self.traceparent = traceparent
    }
}

/// An event of the log.
package struct RecordedEvent: Sendable, Hashable {
    /// Its place in the log; later events have greater ones, and none is given twice. A cursor is such a number.
    package var number: Int64
    /// Its place among the events of its subject, from 1, without gaps.
    package var sequence: Int64
    package var event: BusinessEvent

    package init(number: Int64, sequence: Int64, event: BusinessEvent) {
        self.number = number
        self.sequence = sequence
        self.event = event
    }
}
