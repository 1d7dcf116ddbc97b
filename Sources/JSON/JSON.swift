// JSON: a strict reader and writer of RFC 8259 text.
//
// Strict means that one text has one meaning for everybody who reads it after us: duplicate names, lone surrogates,
// invalid UTF-8, a byte order mark and text after the value are refused, never repaired. Numbers stay exactly as
// written; nobody rounds a quantity through `Double` here. Reading needs no native recursion and every dimension of
// it is bounded by `JSONLimits`.
//
// This room is pure: bytes in, values out. It knows no schema, no socket and no file.
//
// `JSONText` is `public` and inlinable, where other rooms say `package`, because the audit and access log append
// their lines with it on the hot path.
