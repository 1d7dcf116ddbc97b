// Upstream: connections to the servers behind the gateway: pools, the HTTP/1.1 client driver, caps on calls in flight,
// circuit breakers, health, and whole calls for async code.
//
// It knows how to bring a request to a server and its answer back, and what is known of a call that failed. It must
// never know who asked, what policy says, or what an answer means in Odoo.
//
// A call's life: `UpstreamPool.start(call)` → the circuit allows it → the gate admits it or lets it wait by class →
// an idle connection is taken or a new one made → `UpstreamCall.connected` writes the request → the answer streams into
// the call → the connection goes back to the pool or closes → the gate lets the next one in.
