// Simulation: the network and the clock in which the real drivers run, step by step, from one seed.
//
// It knows bytes in flight, readiness and time, and nothing of what the bytes mean: clients and servers are scripts of the
// tests. It must never be imported by a room of Sources.
//
// What it plays: bytes that arrive in pieces of any size, writes that are taken in part, readiness that is told late, in
// another order, or for nothing, ends and resets at any moment, connections that fail, and a clock that jumps. All of it is
// drawn from the seed, so that a run can be repeated to the byte: `SIMULATION_SEED=N` runs that one alone.
import Bytes
