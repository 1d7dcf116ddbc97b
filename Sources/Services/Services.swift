// Services: the governed business services, and the one way in which all of them are carried out.
//
// A service says what to do with Odoo: `ReadService` for what changes nothing, `WriteService` for what does, one file
// each (`ReadProducts`, `ConfirmProductionService`, …). `ServiceRunner` does everything around it: a `ServiceCall`
// comes in, a `ServiceAnswer` goes out, and in between stand the contract, the authorisation on the concrete record,
// the ledger, the audit intent, the record locks, the doubt about lost answers, and the recovery after a crash.
//
// The walk of a write:
//
//     ServiceRunner.answer → contract (400, 415) → IdempotencyKey (400) → Claims (409, 422) → Ledger.accept (replay)
//       → RecordGate → WriteService.perform [authorise (403) → guards (409) → audit intent → Ledger.dispatched
//       → Odoo → read back] → Ledger.applied | rejected | unknown → ServiceAnswer
//
// What is accepted was not sent; before anything that changes something is sent the operation is `dispatched` on disk
// with all that is needed to find out later whether it happened. An outcome that is not known is called unknown, looked
// into (`Settling.swift`), and never repeated blindly.
//
// This room has no sockets: Odoo, the audit log, the clock and the loop come through ports. It must never know HTTP's
// wire, tokens, files of policy, or how an answer gets back to a client.
