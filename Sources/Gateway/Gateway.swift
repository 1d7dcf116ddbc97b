// Gateway: the only room that wires the others: configuration → one immutable snapshot or all its errors; the pipeline
// from request head to handler; proxying; the admin API; start, reload and stop.
//
// The pipeline of every request, one file per filter:
//
//     Worker.handle → Route (RouteTable) → IdentityFilter → PolicyFilter → LimitFilter → handler → AuditFilter
//
// and the handlers: `ProxyCall` (a proxied request), `GovernedCall` (a business service), `AdminAPI`. Every refusal
// becomes a response in `Refusal.swift` and nowhere else.
