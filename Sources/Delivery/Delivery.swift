// Delivery: brings the events of the log to the subscribers' endpoints, over libcurl on a reactor of its own, so that no
// storm of deliveries delays a request.
//
// What is to be sent, and when, is decided by `Webhooks`; this room reads the log, keeps what must be kept, and speaks to
// the endpoints. Each endpoint has connections, a queue and a circuit of its own: one that hangs costs the others nothing.
//
// The walk of a delivery, all on one loop:
//
//     EventBell → Deliverer.serveAll → EventCache (chunks of the log, shared by all endpoints) → EndpointQueue.offer
//       → EndpointQueue.start → WebhookRequest (signed now) → FetchClient → EndpointQueue.finish
//       → Keeper.save, some milliseconds later, for all endpoints in one transaction
//
// A position is kept after its events were delivered, never before: a crash repeats some, with the same ids.
//
// It must never know Odoo, who may call the gateway, or how a subscriber came to be.
