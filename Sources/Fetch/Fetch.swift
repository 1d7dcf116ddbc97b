// Fetch: requests to servers of others, by libcurl's multi interface on the reactor: an issuer's keys, a subscriber's
// webhook. Odoo is not one of them: its connections are `Upstream`'s, which knows its queue and its circuit.
//
// It knows how to bring a request to a URL within bounds, and says what is known of one that failed. It must never know
// what is asked for, what an answer means, or whether to try again.
//
// Theory of operation. A `FetchClient` is a `Sendable` value's face: `try await client.send(request)`. Its connections
// live on one reactor in a `CurlLoop`, which is a descriptor of the reactor: an inner epoll set in which libcurl's
// sockets are registered as libcurl asks, with libcurl's one timer as the descriptor's deadline. Names are resolved on
// libcurl's own threads; everything else happens on the loop. Redirects are never followed: where a request may go was
// decided for the URL that was given. No environment variable (`https_proxy`, `SSL_CERT_FILE` aside) is looked at, no
// `.netrc`, no cookie is kept, no compression is asked for.
