// Audit: what was decided and what came of it, as lines that cannot be changed unnoticed.
//
// An entry is one JSON object on one line. Reactors write entries without strings (`AuditLine`), everything else writes
// them from a value (`AuditEntry`); both give the same members. One writer (the `AppendLog` of the room Store) numbers
// and chains the lines (`AuditChain`), opens and seals segment files (`AuditSegment`) and keeps the authenticated end of
// the log (`AuditHead`). `AuditVerifier` reads all of it back and says what is wrong, where.
//
// What the proof is worth, against somebody who can write the files:
//
// - Who does not have the audit key can change, drop, move or double entries and even compute the chain anew, but
//   cannot make the MAC of a segment's seal or of the head, which cover every entry before them. What is not yet
//   covered is what was synced after the last head: at most the last batch, and only after the gateway was killed.
// - They can put back an older copy of the *whole* directory, head included. Only a copy of the head kept elsewhere
//   shows that: note `audit.head` outside from time to time, and compare its sequence number and link.
// - Who has the audit key can write a new history. Keep the key away from those whose deeds are recorded.
// - A gateway that is taken over while it runs can omit entries from then on, but not alter earlier ones unnoticed by
//   somebody who noted a head.
//
// This room is pure: it knows no file, clock, thread or policy. Time is an argument. OpenSSL's digests are called in
// `UnsafeDigest.swift` only. Tokens, passwords and `Authorization` fields have no member to go to.
