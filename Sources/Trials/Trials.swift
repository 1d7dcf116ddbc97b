// Trials: the whole catalogue of services, tried on an Odoo that may be dirtied.
//
// A trial makes what it needs (products, a bill of materials, work centers, stock), calls a service as a client would, calls
// it again with the same key, and looks in Odoo whether it happened once. It goes the way of every governed call, with a
// ledger of its own, but for who may: that is the policy's and tested there.
//
// This room never knows listeners, tokens or policies, and nothing of which Odoo it is: the same trials run against the
// built-in one and against a real one.
