// Identity: who is calling. Tokens (JWT, RFC 7519) and client certificates become a `Principal`, or a refusal that says
// why without repeating the token.
//
// This room is pure: it knows no socket, file, clock or task. Bytes and `now` are arguments; who reads the key files
// and when they are read again is the gateway's affair. It must never know routes, roles, policies or HTTP: it says who
// somebody is, never what they may do. Making keys and certificates asks OpenSSL for randomness; nothing on the path
// of a request does.
//
// A token's way: `CompactToken` (three parts, strict base64url) → `TokenHeader` (algorithm, key id) → `KeySet` (the
// one key, with its one algorithm) → `VerificationKey` (OpenSSL, keys parsed once) → `TokenClaims` → `Principal`.
// `TokenVerifier` is that walk; `TokenCache` remembers its result per reactor. libjwt only issues (`TokenIssuer`):
// as a verifier it would accept `none` and an HS256 signature made with an RSA public key.
//
// Unsafe memory and C calls are in the files whose names begin with `Unsafe`.
