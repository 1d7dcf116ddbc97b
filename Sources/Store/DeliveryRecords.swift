import Bytes
import Webhooks

extension DeliveryStore {
    /// An endpoint as it was kept.
    package struct Endpoint: Sendable {
        package var name: String
        package var position: Int64
        package var status: EndpointStatus
        package var failingSince: WallInstant?
        package var messages: [WebhookMessage]
        /// Numbers beyond the position that were given up.
        package var settled: Set<Int64>

        package init(
            name: String, position: Int64, status: EndpointStatus = .active, failingSince: WallInstant? = nil,
            messages: [WebhookMessage] = [], settled: Set<Int64> = []
        ) {
            self.name = name
            self.position = position
            self.status = status
            self.failingSince = failingSince
            self.messages = messages
            self.settled = settled
        }
    }

    /// A message that was given up.
    package struct DeadLetter: Sendable {
        package var endpoint: String
        package var message: WebhookMessage
        package var diedAt: WallInstant
    }

    /// One attempt that failed.
    package struct Attempt: Sendable, Hashable {
        package var endpoint: String
        /// Of the event.
        package var number: Int64
        /// Id of the event.
        package var event: String
        /// From 1.
        package var attempt: Int
        package var time: WallInstant
        package var duration: Nanoseconds
        /// Nil without an answer.
        package var status: Int?
        package var reason: String
        /// What was connected to.
        package var address: String
        /// What was sent and what came back: heads, and the beginnings of the bodies. The subscriber's own fields, which
        /// may be secret, stand there without their values.
        package var request: String
        package var response: String

        package init(
            endpoint: String, number: Int64, event: String, attempt: Int, time: WallInstant, duration: Nanoseconds,
            status: Int?, reason: String, address: String, request: String, response: String
        ) {
            self.endpoint = endpoint
            self.number = number
            self.event = event
            self.attempt = attempt
            self.time = time
            self.duration = duration
            self.status = status
            self.reason = reason
            self.address = address
            self.request = request
            self.response = response
        }
    }

    /// A subscriber that was added while running.
    package struct Registration: Sendable, Hashable {
        package var name: String
        /// YAML or JSON, as a file in `policies/subscribers` would say it.
        package var document: String
        package var by: String
        package var at: WallInstant

        package init(name: String, document: String, by: String, at: WallInstant) {
            self.name = name
            self.document = document
            self.by = by
            self.at = at
        }
    }

    /// A secret that the gateway made. No description prints it: `text` must be asked for.
    package struct KeptSecret: Sendable {
        package var subscriber: String
        package var createdAt: WallInstant
        package var text: String
        /// Until when it is used besides newer ones; nil for the newest.
        package var until: WallInstant?
    }
}
