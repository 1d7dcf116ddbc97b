import Bytes

/// How an endpoint is served.
package struct EndpointSettings: Sendable, Hashable {
    package enum Ordering: String, Sendable, CaseIterable {
        /// As fast as possible; an event in retry overtakes nobody and holds nobody up.
        case none
        /// Events of one subject one after the other: one in retry holds those behind it, and no others.
        case aggregate
        /// All events one after the other.
        case strict
    }

    package var ordering = Ordering.aggregate
    package var schedule = RetrySchedule.standard
    /// Deliveries at once. Default 4.
    package var concurrencyMax = 4
    /// Most deliveries in a second; nil for any.
    package var rate: Int?
    /// An endpoint that only fails for so long is disabled. Default 5 days.
    package var disableAfter: Nanoseconds = .hours(5 * 24)
    package var hours: DeliveryHours?
    /// Tells endpoints apart in the jitter.
    package var salt: UInt64 = 0

    package init() {}
}

/// When an endpoint may be called at all, in its own time.
package struct DeliveryHours: Sendable, Hashable {
    /// 1 for Monday to 7; empty for every day.
    package var days: Set<Int> = []
    /// Minutes of the day, the end not included.
    package var from = 0
    package var to = 1_440
    /// Minutes east of Greenwich.
    package var offset = 0

    package init() {}

    package func contains(_ now: WallInstant) -> Bool {
        let local = CivilTime(now + .minutes(Int64(offset)))
        let minute = local.hour * 60 + local.minute
        let day = local.weekday == 0 ? 7 : local.weekday
        return (days.isEmpty || days.contains(day)) && minute >= from && minute < to
    }
}

/// An event that an endpoint is not done with, apart from the order of the log.
package struct WebhookMessage: Sendable, Hashable {
    /// Of the event.
    package var number: Int64
    package var subject: String
    /// How often it was tried.
    package var attempts: Int
    /// When it may be tried again; nil while one before it of the same subject holds it.
    package var due: WallInstant?
    /// When it was first tried, or held.
    package var since: WallInstant
    /// What came of the last attempt; empty before the first.
    package var reason: String
    /// How often somebody has sent it again after it was given up.
    package var redrives: Int

    package init(
        number: Int64, subject: String, attempts: Int = 0, due: WallInstant? = nil, since: WallInstant,
        reason: String = "", redrives: Int = 0
    ) {
        self.number = number
        self.subject = subject
        self.attempts = attempts
        self.due = due
        self.since = since
        self.reason = reason
        self.redrives = redrives
    }

    /// Most redrives of one message: who sends it again and again should look at it. Default 5.
    package static let redrivesMax = 5
}

/// Whether an endpoint is served.
package enum EndpointStatus: Sendable, Hashable {
    case active
    /// Nothing is sent; events wait in the log.
    case disabled(reason: String, since: WallInstant)
}

/// What changed of a queue since it was last asked, to be kept in one transaction.
package struct EndpointChanges: Sendable, Hashable {
    /// Everything up to this number of the log is done with, or among the exceptions.
    package var position: Int64?
    package var kept: [Int64: WebhookMessage] = [:]
    package var removed: Set<Int64> = []
    /// Given up.
    package var dead: [WebhookMessage] = []
    package var status: EndpointStatus?
    /// Since when it only fails; `.some(nil)` since it works again.
    package var failingSince: WallInstant??

    package init() {}

    package var isEmpty: Bool { self == EndpointChanges() }
}
