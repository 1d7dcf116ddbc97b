// Server: accepts connections and drives HTTP on them, one driver per protocol, one `Exchange` type for all.
//
// It knows framing, keepalive, deadlines and backpressure. It must never know who the caller is, what may be done, or
// where a request goes: that is the `ExchangeHandler`'s, which the room above brings.
//
// One request's life: `HTTP1Connection` reads until a head is complete → `ExchangeHandler.handle(exchange)` → the
// handler sets a consumer for the body and answers through the exchange, at once or later → the last byte leaves →
// `ExchangeHandler.finished(exchange)` → the connection takes the next request.
