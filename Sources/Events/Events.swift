// Events: what happened in production, as CloudEvents 1.0.2 that mean the same whatever transport or Odoo version they
// came from.
//
// The catalogue (`policies/events/`) names every event, with a JSON Schema for each of its versions. What was published
// once is kept in `published.json`; `EventCompatibility` refuses a version that would break who reads it. From the
// catalogue alone comes the AsyncAPI document.
//
// A `BusinessEvent` is what a source says; `CloudEvent` is what leaves the gateway, structured or binary. Between the two
// stands the log (room `Store`), which gives an event its number and its sequence within its aggregate.
//
// This room is pure. It must never know who receives an event, how it is delivered, SQLite, or Odoo.
