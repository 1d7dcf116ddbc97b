// Odoo: what we say to Odoo and what its answers mean, as values.
//
// A call is an `OdooCall`; `OdooEndpoint` turns it into the bytes of a request, in JSON-RPC (Odoo 16 to 19) or JSON-2
// (19 and later), and the bytes of the answer into a result or an `OdooError`. A recipe (`CreateProductionOrder`,
// `ReleaseProductionOrder`, `ConfirmProduction`) is a plan of calls with the guards before and the proof after.
//
// The facts come from recordings of running servers, `Tests/Fixtures/odoo/VERSION/NNN-name.json`; "recording 094" in
// a comment means these files. Where a fact was read in Odoo's source and not seen, the comment says "by reading".
//
// This room is pure: it opens no connection, reads no clock, keeps no secret longer than one request, and knows
// nothing of callers, policies or the ledger.
