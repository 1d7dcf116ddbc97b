// HTTP: messages of HTTP/1.1 as bytes (RFC 9110, RFC 9112), for both sides of the gateway.
//
// This room is pure: bytes in, values out. It knows no socket, no clock, no task, no route and no upstream; who reads
// and writes, and when, is decided above.
//
// The theory in short. A driver keeps one buffer per connection. `RequestHeadReader` (or `ResponseHeadReader`) looks at
// the unconsumed bytes, which always begin at the start of the message, and fills a reusable `MessageHead` with offsets
// into them: nothing is copied and nothing is allocated. The head says how the body is framed; a `BodyReader` then
// turns further bytes into ranges of payload. Everything ambiguous is refused, never repaired: two parsers in a row
// that disagree about where a message ends are a hole through which a request is smuggled (RFC 9112 §11.2).
//
// `public` with `@inlinable` is for the few functions called per field; the package has no library product.
