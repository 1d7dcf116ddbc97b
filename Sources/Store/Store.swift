// Store: what must survive. The ledger of operations in SQLite, and the audit log as append-only files.
//
// This room belongs to the world: it has files, threads and a clock. It never blocks its callers: each store has a thread
// of its own, requests cross in a bounded mailbox, and a caller that wants to know waits in `async` code. Both stores
// gather what waits into one write to disk (group commit), so that a thousand callers cost a few syncs.
//
// What is promised: when `accept`, `advance` or `appendDurably` has returned, the fact is on disk and survives `kill -9`
// and a power failure. When it has thrown, it may or may not be there after a crash, and is not there otherwise.
//
// It must never know what an operation means, what Odoo is, who may do what, or HTTP.
//
// Unsafe memory and C are in the files that begin with `Unsafe`.
