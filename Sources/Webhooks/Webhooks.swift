// Webhooks: who is to get which event, how a delivery is signed, and when it is tried: Standard Webhooks 1.0.0.
//
// - `WebhookSecret`, `WebhookSignature`: v1 (HMAC-SHA256) and v1a (Ed25519), several secrets at once for rotation.
// - `Subscriber`, `SubscriberFile`: the document of one subscriber, and what selects and masks its events.
// - `EndpointQueue`: the deliveries of one endpoint as a machine that is told the time. It says what to send now, learns
//   what came of it, and gives what must be kept.
// - `RetrySchedule`, `EndpointCircuit`, `DeliveryOutcome`: when again, and what an answer means.
// - `AddressGuard`: which addresses may be connected to at all.
//
// Theory of the queue. The event log is the queue: an endpoint is a position in it, behind which every event is either
// done with or among its exceptions (in retry, held behind one in retry, given up). So a million events that wait cost
// nothing, a start reads one row for each endpoint, and a crash repeats what was in flight, with the same ids.
//
// This room is pure. It must never know a socket, a file, SQLite, or where secrets are kept.
