// OdooSandbox: a small Odoo in memory that answers as the recordings of the real one do (Tests/Fixtures/odoo).
//
// It is what `make run` starts beside the gateway and what the end-to-end tests and the kill tests count in: products,
// bills of materials, production orders, work orders, moves and stock, with Odoo's own traps (a production order that
// closes without consuming, wizards answered as success, scrap that books twice), as 17 or as 19, behind `/jsonrpc`
// and `/json/2`.
//
// The walk of a call: `SandboxOdoo.answer` → `Router` → `JSONRPC` or `JSON2` (authenticate, bind arguments) →
// `Engine` (one call on the database, undone when it raises) → `Methods` → the ORM (`Read…`, `Write…`) or a state
// machine (`Production…`, `Workorders`, `Stock…`, `Scrap`, `Picking`).
//
// Here it is a pure machine: a request value and the time in, an answer value out; the `Server` room carries it. It
// must never know the gateway, and the gateway must never know it: they meet in HTTP only.
