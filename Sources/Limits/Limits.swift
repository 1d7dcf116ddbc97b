// Limits: "admit, or say when". Rate limits, the queue for calls in flight, the circuit breaker, locks on records and
// the cap on connections.
//
// This room is pure: it knows no socket, clock, task or request. `now` is an argument, waiters are integers that the
// caller wakes, and a refusal is a value that says when to come back. What a limit is for, who the subject is and how
// a refusal looks on the wire is decided above.
//
// What is used by several reactors at once is either Sendable with its own locks (`RateLimiter`,
// `ConnectionLimiter`), because it runs for each request, or a value that its owner keeps in a `Mutex`
// (`AdmissionQueue`, `CircuitBreaker`, `RecordLocks`), because a call to Odoo costs milliseconds anyway.
