// Policy: may this caller do this, here, and which rule says so.
//
// `policies/roles.yaml` says who is what, `policies/access/*.yaml` says which roles may do which operations where.
// `PolicySet.load` checks all of it at once and compiles it to a table of operations; `decide` and `gate` look a
// question up in that table. What no rule permits is denied, and a rule that forbids wins over any that permits.
//
// This room is pure: files come in as text, decisions go out as values, and the same question always has the same
// answer. It never sees a token, a request or a record; whoever asks has found out who is calling and on what.
